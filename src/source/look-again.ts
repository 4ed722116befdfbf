import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP } from "node:net";
import { connect, getCACertificates } from "node:tls";
import type { FaultReason } from "../faults/codes.ts";
import { Fault } from "../faults/fault.ts";

const LOOK_MS = 5_000;

const CERTIFICATE_TROUBLE: Readonly<Record<string, FaultReason<"TLS_UNTRUSTED">>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "self_signed",
  SELF_SIGNED_CERT_IN_CHAIN: "unknown_ca",
  UNABLE_TO_GET_ISSUER_CERT: "unknown_ca",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "unknown_ca",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "unknown_ca",
  CERT_HAS_EXPIRED: "expired",
  CERT_NOT_YET_VALID: "expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "name_mismatch",
};

/**
 * git says "redirected" without the target, and with GnuTLS "not verified" without the cause. So the address is asked once more, without
 * any credential, and the fault is made exact. When that fails too the fault stays as it is.
 */
export async function lookAgain(fault: Fault, url: URL, ca: string | undefined): Promise<Fault> {
  try {
    if (fault.is("REDIRECTED")) return await exactRedirect(fault, url, ca);
    if (fault.is("TLS_UNTRUSTED") && url.protocol === "https:") return await exactTrust(fault, url, ca);
  } catch {
    // the first finding stands
  }
  return fault;
}

async function exactRedirect(fault: Fault, url: URL, ca: string | undefined): Promise<Fault> {
  const location = await askLocation(url, ca);
  if (location === null) return fault;
  const target = new URL(location, url);
  const evidence = { ...fault.evidence, location: `${target.origin}${target.pathname}`.slice(0, 500) };
  return Fault.of("REDIRECTED", redirectReason(url, target), { evidence, cause: fault.cause });
}

/** What a redirect means. A page to sign in at wins over the host it is on. */
export function redirectReason(from: URL, to: URL): FaultReason<"REDIRECTED"> {
  if (/\/(users\/)?sign_in\b|\/login\b|\/oauth2?\/|\/saml/i.test(to.pathname)) return "login";
  const isUpgrade = from.protocol === "http:" && to.protocol === "https:" && from.hostname === to.hostname;
  return isUpgrade ? "to_https" : "other_host";
}

async function askLocation(url: URL, ca: string | undefined): Promise<string | null> {
  const asked = new URL(`${url.href.replace(/\/$/, "")}/info/refs?service=git-upload-pack`);
  const ask = asked.protocol === "https:" ? requestHttps : requestHttp;
  const { promise, resolve, reject } = Promise.withResolvers<string | null>();
  const request = ask(asked, { signal: AbortSignal.timeout(LOOK_MS), agent: false, ca: trusted(ca) });
  request.on("response", (response) => {
    resolve(response.headers.location ?? null);
    response.destroy();
  });
  request.on("error", reject);
  request.end();
  return promise;
}

async function exactTrust(fault: Fault, url: URL, ca: string | undefined): Promise<Fault> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const socket = connect({
    host,
    port: url.port === "" ? 443 : Number(url.port),
    servername: isIP(host) ? "" : host,
    ca: trusted(ca),
    rejectUnauthorized: false, // only to read why; nothing is sent
    timeout: LOOK_MS,
  });
  socket.on("secureConnect", () => resolve(String(socket.authorizationError)));
  socket.on("error", reject);
  socket.on("timeout", () => reject(new Error("no answer")));
  try {
    const reason = CERTIFICATE_TROUBLE[await promise];
    if (reason === undefined) return fault;
    return Fault.of("TLS_UNTRUSTED", reason, { evidence: fault.evidence, cause: fault.cause });
  } finally {
    socket.destroy();
  }
}

function trusted(ca: string | undefined): string[] {
  const system = getCACertificates("system");
  return [...(system.length > 0 ? system : getCACertificates("bundled")), ...(ca === undefined ? [] : [ca])];
}
