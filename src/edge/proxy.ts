import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Counters } from "./counters.ts";
import { createDispatch, settleWith } from "./dispatch.ts";
import { openExchange, type Exchange } from "./exchange.ts";
import { answerPage } from "./pages.ts";
import { responseOnSocket, wantsWebsocket } from "./upgrade.ts";
import type { Upstreams } from "./upstreams.ts";

export interface Proxy {
  readonly server: Server;
  /** Takes no new connection, lets what is under way end for `graceMs`, then cuts the rest. A second call may shorten it. */
  close(graceMs: number): Promise<void>;
}

interface Limits {
  /** For a request's head to come in whole. */
  readonly headersMs: number;
  /** For an app to begin its answer. */
  readonly answerMs: number;
  /** Without a byte in either direction, on any connection. */
  readonly idleMs: number;
  /** For the next request on a kept connection. */
  readonly keepAliveMs: number;
}

/** The answer's limit is long: an export may take minutes, and an app knows better than we do when to give up. */
const LIMITS: Limits = { headersMs: 60_000, answerMs: 600_000, idleMs: 3_600_000, keepAliveMs: 75_000 };

interface ProxyOptions {
  readonly upstreams: Pick<Upstreams, "find">;
  readonly counters: Counters;
  readonly limits?: Partial<Limits>;
  /** Whether requests come through another proxy of ours, and only through it. Default: they come from anybody. */
  readonly trustForwarded?: boolean;
}

export function createProxy(options: ProxyOptions): Proxy {
  const limits = { ...LIMITS, ...options.limits };
  const dispatch = createDispatch({
    upstreams: options.upstreams,
    idleMs: limits.idleMs,
    trustForwarded: options.trustForwarded ?? false,
  });
  const underway = new Set<Exchange>();
  const upgraded = new Set<Socket>();

  const take = (request: IncomingMessage, response: ServerResponse, upgrade: Exchange["upgrade"]): void => {
    const exchange = openExchange(request, response, upgrade);
    if (!exchange) {
      answerPage(request, response, "bad-request");
      return;
    }
    underway.add(exchange);
    const end = (): void => {
      if (!underway.delete(exchange)) return;
      const host = options.upstreams.find(exchange.target.host) ? exchange.target.host : null;
      options.counters.count(host, statusOf(exchange));
      if (!response.writableFinished || !exchange.current?.writableFinished) abandon(exchange);
    };
    response.on("close", end);
    upgrade?.socket.on("close", end);
    dispatch(exchange);
  };

  const server = createServer(serverOptions(limits), (request, response) => take(request, response, null));
  server.timeout = limits.idleMs;
  server.maxHeadersCount = 0;
  server.on("upgrade", (request: IncomingMessage, duplex: Duplex, head: Buffer) => {
    const socket = request.socket;
    socket.on("error", () => duplex.destroy());
    upgraded.add(socket);
    socket.once("close", () => upgraded.delete(socket));
    const response = responseOnSocket(request, socket);
    if (response) take(request, response, { socket, head });
    else socket.destroy();
  });
  server.on("connect", ({ socket }: IncomingMessage) => refuseTunnel(socket, limits.keepAliveMs));
  const sweep = setInterval(() => endSlow(underway, limits.answerMs), Math.min(5000, limits.answerMs));
  sweep.unref();
  let closed: Promise<void> | undefined;

  return {
    server,
    close: async (graceMs) => {
      closed ??= new Promise((resolve) => server.close(() => resolve()));
      const cut = setTimeout(() => {
        server.closeAllConnections();
        for (const socket of upgraded) socket.destroy();
      }, graceMs);
      await closed;
      clearTimeout(cut);
      clearInterval(sweep);
    },
  };
}

function serverOptions(limits: Limits): Parameters<typeof createServer>[0] {
  return {
    maxHeaderSize: 32 * 1024,
    headersTimeout: limits.headersMs,
    // An upload may take as long as it needs while it moves.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(5000, limits.headersMs),
    insecureHTTPParser: false,
    shouldUpgradeCallback: wantsWebsocket,
  };
}

/** Node has let go of the connection: without us a reset would end the process, and a client that stays would never be let go. */
function refuseTunnel(socket: Socket, patienceMs: number): void {
  socket.on("error", () => socket.destroy());
  socket.setTimeout(patienceMs, () => socket.destroy());
  socket.end("HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}

/** The client is gone, or has its answer while its request was still being sent. */
function abandon(exchange: Exchange): void {
  exchange.settled = true;
  exchange.current?.destroy();
}

function statusOf({ response, upgrade, settled }: Exchange): number {
  if (response.headersSent) return response.statusCode;
  return upgrade && settled ? 101 : CLIENT_CLOSED;
}

/** What nginx logs when a client went away before its answer. */
const CLIENT_CLOSED = 499;

function endSlow(underway: ReadonlySet<Exchange>, answerMs: number): void {
  const now = performance.now();
  for (const exchange of underway) {
    if (!exchange.request.complete) exchange.waitingSince = now;
    else if (now - exchange.waitingSince > answerMs) settleWith(exchange, "gateway-timeout");
  }
}
