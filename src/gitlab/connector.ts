import { Agent } from "undici";
import { guardedLookup } from "./addresses.ts";
import { findRoute, type Network } from "./network.ts";
import { createProxyConnector, proxyAuthorization } from "./proxy-connector.ts";
import { trustedContext } from "./trust.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** Below the 5 s after which Node closes an idle connection: a POST on a connection that is just being closed cannot be repeated. */
const KEEP_ALIVE_MS = 4_000;

/** The connections of one client to one origin. */
export interface Connections {
  readonly agent: Agent;
  /** Before the path of each request: a proxy for plain http wants the whole address. */
  readonly prefix: string;
  /** For the proxy, where it reads them. */
  readonly headers: Readonly<Record<string, string>>;
}

/** HTTP/1.1 only: undici's HTTP/2 gains nothing at 8 requests at once. */
export function createConnections(base: URL, network: Network, slots: number): Connections {
  const secure = base.protocol === "https:";
  const { proxy } = findRoute(base, network);
  const common = { lookup: guardedLookup, autoSelectFamily: true, timeout: CONNECT_TIMEOUT_MS };
  const tls = secure ? { secureContext: trustedContext(network) } : {};
  const connect =
    proxy === null
      ? { ...common, ...tls }
      : createProxyConnector({ proxy: new URL(proxy.reveal()), target: base, network, common });
  const agent = new Agent({
    connections: slots,
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    connect,
  });
  if (proxy === null || secure) return { agent, prefix: "", headers: {} };
  return { agent, prefix: base.origin, headers: proxyAuthorization(new URL(proxy.reveal())) };
}
