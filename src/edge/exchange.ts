import type { Agent, ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { bodyOf, type BodyKind } from "./headers.ts";
import { requestTargetOf, type RequestTarget } from "./request-target.ts";
import type { Upstream } from "./upstreams.ts";

/** One request of a client with everything that was tried for it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: RequestTarget;
  readonly body: BodyKind;
  /** Of a websocket request: the client's connection, and what it sent after the request. */
  readonly upgrade: { readonly socket: Socket; readonly head: Buffer } | null;
  /** Since when the app has the whole request, in milliseconds of `performance.now()`. */
  waitingSince: number;
  attempts: number;
  readonly failed: Set<Upstream>;
  /** The request to the app that is under way. */
  current: ClientRequest | null;
  /** An answer has begun, or nobody waits for one any more. */
  settled: boolean;
}

/** Takes a request in, or returns null when its parts contradict each other. */
export function openExchange(
  request: IncomingMessage,
  response: ServerResponse,
  upgrade: Exchange["upgrade"],
): Exchange | null {
  const target = requestTargetOf(request);
  const body = bodyOf(request);
  if (target === null || body === null || (upgrade && body !== "none")) return null;
  return {
    request,
    response,
    target,
    body,
    upgrade,
    waitingSince: performance.now(),
    attempts: 0,
    failed: new Set(),
    current: null,
    settled: false,
  };
}

/** Each try resolves the route anew: the switch may have happened in between. */
const WAIT_BEFORE_MS = [0, 0, 50, 100, 200, 400] as const;

/**
 * How long to wait before the next try, or null to give up. A connection that was never made carried nothing, so any request may
 * try again; one that broke later may have had its effect, so only a request that is safe to repeat does.
 */
export function waitBeforeRetry(exchange: Exchange, error: Error): number | null {
  if (!wasNeverConnected(error) && !isRepeatable(exchange)) return null;
  return WAIT_BEFORE_MS[exchange.attempts] ?? null;
}

/**
 * Kept connections may have been closed by the app in the very moment we use them. Only a request that can be repeated takes
 * one, and only once.
 */
export function agentFor(exchange: Exchange, upstream: Upstream, fresh: Agent): Agent {
  return exchange.attempts <= 1 && isRepeatable(exchange) ? upstream.agent : fresh;
}

/** The target with the least to do that has not failed yet; when all have failed, any may have come back. */
export function pickUpstream(upstreams: readonly Upstream[], failed: ReadonlySet<Upstream>): Upstream | null {
  let best: Upstream | null = null;
  for (const upstream of upstreams) {
    if (upstreams.length > 1 && failed.has(upstream)) continue;
    if (best === null || upstream.underway < best.underway) best = upstream;
  }
  return best ?? upstreams[0] ?? null;
}

function isRepeatable(exchange: Exchange): boolean {
  const { method } = exchange.request;
  const safe = method === "GET" || method === "HEAD" || method === "OPTIONS";
  return safe && exchange.body === "none" && exchange.upgrade === null;
}

function wasNeverConnected(error: Error): boolean {
  if (error instanceof AggregateError)
    return error.errors.every((each) => each instanceof Error && wasNeverConnected(each));
  return "syscall" in error && error.syscall === "connect";
}
