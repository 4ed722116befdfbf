import { BlockList, isIP } from "node:net";
import { Secret } from "../kernel/secret.ts";
import { describeAddress } from "./addresses.ts";

/** How one GitLab is reached: given with the connection, all of it optional. */
export interface Network {
  /** PEM certificates trusted besides the machine's. */
  readonly ca?: string | undefined;
  /** `http://user:password@proxy.acme.lan:3128`, or `none`: not even the machine's. It may hold a password, hence a secret. */
  readonly proxy?: Secret | undefined;
  readonly clientCertificate?: ClientCertificate | undefined;
  /** Sent with every request to GitLab's origin, for a gate in front of it. Never what `headers.ts` refuses. */
  readonly headers?: Readonly<Record<string, Secret>> | undefined;
  /** What the machine's environment says of proxies; counts where `proxy` is not given. */
  readonly machine?: MachineProxies | undefined;
}

export interface ClientCertificate {
  /** PEM: the certificate, and those that signed it. */
  readonly certificate: string;
  readonly key: Secret;
}

/** `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. */
export interface MachineProxies {
  readonly https: Secret | null;
  readonly http: Secret | null;
  readonly exceptions: readonly string[];
}

/** The way to one address: through a proxy or straight, and what decided it, for people. */
export interface Route {
  /** Scheme, host, port and credentials; null: straight. */
  readonly proxy: Secret | null;
  /** The proxy's host and port. */
  readonly proxyHost: string | null;
  readonly why: string;
}

/** Which proxy applies to an address. An option wins over the machine's environment; loopback is only ever reached straight from there. */
export function findRoute(url: URL, network: Network): Route {
  const given = network.proxy?.reveal();
  if (given === "none") return straight("no proxy, as was asked for");
  if (network.proxy !== undefined) return through(network.proxy, "given for this connection");
  const { machine } = network;
  const secure = url.protocol === "https:";
  const proxy = secure ? machine?.https : machine?.http;
  if (!machine || !proxy) return straight("no proxy is set");
  const host = bareHost(url);
  const variable = secure ? "HTTPS_PROXY" : "HTTP_PROXY";
  if (isLoopback(host)) return straight(`${variable} is set, but GitLab is on this machine`);
  const exception = machine.exceptions.find((item) => isException(item, host, portOf(url)));
  if (exception !== undefined) return straight(`${variable} is set, but NO_PROXY has ${exception}`);
  return through(proxy, variable);
}

/** The same way for another program that speaks http, to an address of GitLab's own origin. */
export function wayTo(
  url: string,
  network: Network,
): Pick<Network, "clientCertificate" | "headers"> & Pick<Route, "proxy"> {
  const { clientCertificate, headers } = network;
  return { proxy: findRoute(new URL(url), network).proxy, clientCertificate, headers };
}

/** What no log and no error may show: the values of headers, proxies' passwords, the client's key. */
export function secretsOf({ proxy, machine, headers = {}, clientCertificate }: Network): readonly Secret[] {
  const passwords = [proxy, machine?.https, machine?.http].flatMap((address) => {
    const text = address?.reveal() ?? "";
    const password = URL.canParse(text) ? new URL(text).password : "";
    return password === "" ? [] : [new Secret(password), new Secret(decoded(password))];
  });
  return [...Object.values(headers), ...passwords, ...(clientCertificate ? [clientCertificate.key] : [])];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone %: it is its own plain form
  }
}

function straight(why: string): Route {
  return { proxy: null, proxyHost: null, why };
}

function through(proxy: Secret, why: string): Route {
  return { proxy, proxyHost: new URL(proxy.reveal()).host, why };
}

/** `*`; `acme.lan` and `.acme.lan`, which both mean the domain and all below it; an address; `10.0.0.0/8`; each with a port or without. */
function isException(item: string, host: string, port: number): boolean {
  if (item === "*") return true;
  const network = /^([\da-f.:]+)\/(\d{1,3})$/i.exec(item);
  if (network) return isWithin(host, network[1] ?? "", Number(network[2]));
  const [, name = "", itsPort] = /^(\[[^\]]+\]|[^:]+|[\da-f:]+?)(?::(\d{1,5}))?$/i.exec(item) ?? [];
  if (itsPort !== undefined && Number(itsPort) !== port) return false;
  const domain = name
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/^\*?\./, "")
    .replace(/\.$/, "");
  if (domain === "") return false;
  return host === domain || (isIP(host) === 0 && host.endsWith(`.${domain}`));
}

function isWithin(host: string, network: string, bits: number): boolean {
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family || bits > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family === 4 ? "ipv4" : "ipv6");
  return list.check(host, family === 4 ? "ipv4" : "ipv6");
}

function isLoopback(host: string): boolean {
  return /^(localhost|.*\.localhost)$/.test(host) || describeAddress(host) === "loopback";
}

function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
}

function portOf(url: URL): number {
  return url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
}
