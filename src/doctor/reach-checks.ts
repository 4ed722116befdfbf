import { lookup } from "node:dns/promises";
import { connect } from "node:net";
import { once } from "node:events";
import { Fault, type Evidence } from "../faults/fault.ts";
import { describeAddress, guardedLookup, isForbiddenAddress } from "../gitlab/addresses.ts";
import { classifyNetworkError } from "../gitlab/classify-network.ts";
import { chooseScheme, locateGitLab } from "../gitlab/locate.ts";
import { findRoute } from "../gitlab/network.ts";
import { parseInstanceUrl, type InstanceUrl } from "../gitlab/url.ts";
import { askGitLab } from "./ask.ts";
import { readCertificate, type Certificate } from "./read-certificate.ts";
import { need, type CheckDefinition, type Outcome, type Visit } from "./visit.ts";

/** From the pasted text to the certainty that GitLab answers. No token is sent by any of these. */
export const REACH_CHECKS: readonly CheckDefinition[] = [
  { id: "url.shape", about: "The address", run: checkShape },
  { id: "net.dns", about: "The host name", run: checkName },
  { id: "net.tcp", about: "The connection", run: checkPort },
  { id: "net.proxy", about: "The way there", run: checkProxy },
  { id: "tls.chain", about: "The certificate", run: checkCertificate },
  { id: "http.redirect", about: "Redirects", run: checkRedirect },
  { id: "gitlab.is", about: "GitLab's API", run: checkIsGitLab },
];

async function checkShape(visit: Visit, signal: AbortSignal): Promise<Outcome> {
  const parsed = parseInstanceUrl(visit.url);
  visit.learnt.base = parsed;
  const { base, note } = await chooseScheme(parsed, visit.network, { signal });
  visit.learnt.base = base;
  const notes = [...base.notes, ...(note === null ? [] : [note])];
  const title = `The address is ${base.baseUrl}`;
  return notes.length === 0
    ? { state: "ok", title }
    : { state: "ok", title, evidence: notes.join(", "), source: "local" };
}

async function checkName(visit: Visit, signal: AbortSignal): Promise<Outcome> {
  const { host } = baseOf(visit);
  const { proxyHost } = routeOf(visit);
  if (proxyHost !== null) {
    return { state: "skip", title: `${host} is looked up by the proxy ${proxyHost}`, source: "local" };
  }
  const addresses = await within(signal, host, lookup(host, { all: true }));
  const bad = addresses.find(({ address }) => isForbiddenAddress(address));
  if (bad) throw Fault.of("INVALID_URL", "", { evidence: { host, address: bad.address } });
  const shown = addresses.slice(0, 6).map(({ address }) => `${address} (${describeAddress(address)})`);
  return { state: "ok", title: `${host} has an address`, evidence: shown.join(", ") };
}

async function checkPort(visit: Visit, signal: AbortSignal): Promise<Outcome> {
  const { host, port } = baseOf(visit);
  if (routeOf(visit).proxyHost !== null) return { state: "skip", title: "The proxy makes the connection" };
  using socket = disposable(connect({ host, port, lookup: guardedLookup, autoSelectFamily: true }));
  await within(signal, `${host}:${port}`, once(socket.value, "connect"));
  return { state: "ok", title: `Port ${port} answers` };
}

function checkProxy(visit: Visit): Outcome {
  const { proxyHost, why } = routeOf(visit);
  const title =
    proxyHost === null ? "GitLab is reached without a proxy" : `GitLab is reached through ${proxyHost}`;
  return { state: "ok", title, evidence: why, source: "local" };
}

function routeOf(visit: Visit): ReturnType<typeof findRoute> {
  return findRoute(new URL(baseOf(visit).baseUrl), visit.network);
}

const SOON_DAYS = 14;

async function checkCertificate(visit: Visit, signal: AbortSignal): Promise<Outcome> {
  const base = baseOf(visit);
  if (!base.secure) return unencrypted(base);
  const place = `${base.host}:${base.port}`;
  const certificate = await within(signal, place, readCertificate(base, visit.network, signal));
  const { issuer, validTo, problem } = certificate;
  if (problem !== null) throw untrusted(place, certificate, problem);
  const days = Math.floor((validTo - visit.clock.now()) / 86_400_000);
  const evidence = `signed by ${issuer}, valid until ${new Date(validTo).toISOString().slice(0, 10)}`;
  if (days > SOON_DAYS) return { state: "ok", title: "The certificate is trusted", evidence };
  return {
    state: "warn",
    title: `The certificate expires in ${days} days`,
    evidence,
    fix: "Renew GitLab's certificate before that day: after it nothing is deployed.",
  };
}

function unencrypted(base: InstanceUrl): Outcome {
  const local = base.host === "localhost" || describeAddress(base.host) === "loopback";
  if (local) return { state: "skip", title: "No TLS: GitLab is on this machine" };
  return {
    state: "warn",
    title: "The token travels unencrypted",
    evidence: "the address begins with http://",
    source: "local",
    fix: "Give GitLab a certificate and use its https:// address.",
  };
}

function untrusted(host: string, certificate: Certificate, problem: string): Fault {
  const evidence: Evidence = { host, issuer: certificate.issuer, subject: certificate.subject };
  return classifyNetworkError(Object.assign(new Error(problem), { code: problem }), evidence);
}

/** The first request. What it meets besides a redirect is told by the next check. */
async function checkRedirect(visit: Visit, signal: AbortSignal): Promise<Outcome> {
  try {
    const located = await locateGitLab(baseOf(visit), visit.network, { signal });
    visit.learnt.base = located.base;
    if (located.note === null) return { state: "ok", title: "No redirect" };
    const title = `GitLab is at ${located.base.baseUrl}`;
    return { state: "ok", title, evidence: located.note };
  } catch (error) {
    if (!(error instanceof Fault) || error.is("REDIRECTED")) throw error;
    visit.postponed.set("gitlab.is", error);
    return { state: "ok", title: "No redirect" };
  }
}

/** Only reached when the request before went well. */
function checkIsGitLab(visit: Visit, signal: AbortSignal): Outcome {
  const { baseUrl } = baseOf(visit);
  const gitlab = visit.createGitLab({ ...visit.network, baseUrl, token: visit.token });
  visit.learnt.gitlab = gitlab;
  visit.learnt.asked = askGitLab(gitlab, signal);
  return {
    state: "ok",
    title: "GitLab's API answers",
    evidence: "it refused a request without a token in GitLab's words",
  };
}

function baseOf(visit: Visit): InstanceUrl {
  return need(visit.learnt.base, "an address");
}

/** A network wait with a deadline; errors as the Faults of reaching. */
async function within<T>(signal: AbortSignal, host: string, work: Promise<T>): Promise<T> {
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const late = Fault.of("UNREACHABLE", "timeout", { evidence: { host }, retryable: true });
  const stop = (): void => reject(late);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, stopped]);
  } catch (error) {
    if (signal.aborted) throw late;
    throw error instanceof Fault ? error : classifyNetworkError(error, { host });
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function disposable<T extends { destroy(): unknown }>(value: T): { value: T } & Disposable {
  return { value, [Symbol.dispose]: () => void value.destroy() };
}
