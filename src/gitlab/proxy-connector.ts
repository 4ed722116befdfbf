import { lookup } from "node:dns/promises";
import { request } from "node:http";
import type { Socket } from "node:net";
import { callbackify } from "node:util";
import { buildConnector } from "undici";
import { ForbiddenAddressError, isForbiddenAddress } from "./addresses.ts";
import type { Network } from "./network.ts";
import { trustedContext } from "./trust.ts";

type Options = Parameters<buildConnector.connector>[0];

export interface ProxyWay {
  readonly proxy: URL;
  readonly target: URL;
  readonly network: Network;
  /** How sockets are opened: name look-up with its guard, time-out. */
  readonly common: buildConnector.BuildOptions;
}

/** The proxy's own trouble: it cannot be reached, or will not let us through. Holds nothing of its credentials. */
export class ProxyError extends Error {
  override readonly name = "ProxyError";
  readonly code: string;
  readonly status: number | null;
  readonly proxy: string;

  constructor(proxy: string, code: string, status: number | null = null) {
    super(`${proxy}: ${status ?? code}`);
    this.proxy = proxy;
    this.code = code;
    this.status = status;
  }
}

/**
 * Opens connections through a proxy: a tunnel (CONNECT) for https, so that the proxy sees no token; the proxy itself for plain http. The certificate
 * that counts is GitLab's, inside the tunnel.
 */
export function createProxyConnector(way: ProxyWay): buildConnector.connector {
  const { proxy, target, network, common } = way;
  const toProxy = proxyOpener(proxy, network, common);
  const toTarget =
    target.protocol === "https:"
      ? buildConnector({ ...common, allowH2: false, secureContext: trustedContext(network) })
      : null;
  const open = async (options: Options): Promise<Socket> => {
    await refuseForbidden(options.hostname);
    const socket = await openProxy(toProxy, proxy);
    if (!toTarget) return socket;
    await askForTunnel(socket, way);
    return promised(toTarget, { ...options, httpSocket: socket });
  };
  const connect = callbackify(open);
  return (options, callback) =>
    connect(options, (error, socket) => (error ? callback(error, null) : callback(null, socket)));
}

/** The client's certificate is for GitLab, not for the proxy. */
function proxyOpener(
  proxy: URL,
  { ca }: Network,
  common: buildConnector.BuildOptions,
): buildConnector.connector {
  const tls = proxy.protocol === "https:" ? { secureContext: trustedContext({ ca }) } : {};
  return buildConnector({ ...common, allowH2: false, ...tls });
}

/** A bare connection to an https address through a proxy, for who wants to look at its certificate. Throws `ProxyError`. */
export async function openTunnel(way: ProxyWay): Promise<Socket> {
  const socket = await openProxy(proxyOpener(way.proxy, way.network, way.common), way.proxy);
  await askForTunnel(socket, way);
  return socket;
}

/** For a header of the request, where the proxy is asked for plain http, and of CONNECT. */
export function proxyAuthorization(proxy: URL): Record<string, string> {
  if (proxy.username === "") return {};
  const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(credentials).toString("base64")}` };
}

const LOOKUP_MS = 1_000;

/**
 * The proxy looks the name up, not we. Where this machine knows the name too, it must not lead to a metadata service; where it does not (or not in
 * time) the proxy has to know what it lets through.
 */
async function refuseForbidden(hostname: string): Promise<void> {
  const late = new Promise<[]>((resolve) => setTimeout(() => resolve([]), LOOKUP_MS).unref());
  const known = lookup(hostname, { all: true }).catch(() => []);
  const bad = (await Promise.race([known, late])).find(({ address }) => isForbiddenAddress(address));
  if (bad) throw new ForbiddenAddressError(bad.address);
}

async function openProxy(connect: buildConnector.connector, proxy: URL): Promise<Socket> {
  const { protocol, hostname, host } = proxy;
  const port = proxy.port === "" ? (protocol === "https:" ? "443" : "80") : proxy.port;
  try {
    return await promised(connect, { protocol, hostname: hostname.replace(/^\[|\]$/g, ""), host, port });
  } catch (error) {
    if (error instanceof ForbiddenAddressError) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw new ProxyError(host, code.slice(0, 60));
  }
}

async function askForTunnel(socket: Socket, { proxy, target, common }: ProxyWay): Promise<void> {
  const place = `${target.hostname}:${target.port === "" ? 443 : target.port}`;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const asked = request({
    createConnection: () => socket,
    method: "CONNECT",
    path: place,
    headers: { host: place, ...proxyAuthorization(proxy) },
    timeout: common.timeout ?? 0,
  });
  asked.on("connect", (response, _socket, head) => {
    if (head.length > 0) socket.unshift(head);
    resolve(response.statusCode ?? 0);
  });
  asked.on("timeout", () => reject(new ProxyError(proxy.host, "ETIMEDOUT")));
  asked.on("error", () => reject(new ProxyError(proxy.host, "ECONNRESET")));
  asked.end();
  try {
    const status = await promise;
    if (status < 200 || status > 299) throw new ProxyError(proxy.host, "ERR_TUNNEL", status);
    socket.setTimeout(0);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function promised(connect: buildConnector.connector, options: Options): Promise<Socket> {
  return new Promise((resolve, reject) => {
    connect(options, (error, socket) => (error ? reject(error) : resolve(socket)));
  });
}
