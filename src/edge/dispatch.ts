import { Agent, request as send, type ClientRequest, type IncomingMessage } from "node:http";
import { agentFor, pickUpstream, waitBeforeRetry, type Exchange } from "./exchange.ts";
import { forwardedHeaders } from "./headers.ts";
import { answerPage, type PageName } from "./pages.ts";
import { relayAnswer, relayBody } from "./relay.ts";
import { createLater } from "./later.ts";
import { joinOnUpgrade } from "./upgrade.ts";
import type { Upstream, Upstreams } from "./upstreams.ts";

interface DispatchOptions {
  readonly upstreams: Pick<Upstreams, "find">;
  /** Without a byte in either direction, for joined connections. */
  readonly idleMs: number;
  /** Whether requests come through another proxy of ours, and only through it. */
  readonly trustForwarded: boolean;
}

/** Brings a request to a target of its route, to another one when that fails and may be tried, and the answer back. */
export function createDispatch(options: DispatchOptions): (exchange: Exchange) => void {
  const { upstreams, idleMs, trustForwarded } = options;
  const fresh = new Agent({ keepAlive: false });
  const later = createLater();

  const attempt = (exchange: Exchange): void => {
    if (exchange.settled) return;
    const found = upstreams.find(exchange.target.host);
    const upstream = pickUpstream(found ?? [], exchange.failed);
    if (!upstream) {
      settleWith(exchange, found ? "no-targets" : "no-route");
      return;
    }
    exchange.attempts += 1;
    const outgoing = open(exchange, upstream, agentFor(exchange, upstream, fresh), trustForwarded);
    if (!outgoing) {
      settleWith(exchange, "bad-request");
      return;
    }
    exchange.current = outgoing;
    count(upstream, outgoing);
    outgoing.on("response", (answer) => {
      if (isFinal(answer)) relayAnswer(exchange, answer, later);
      else settleWith(exchange, "bad-gateway");
    });
    outgoing.on("error", (error) => failed(exchange, upstream, error));
    if (exchange.upgrade) {
      joinOnUpgrade(exchange, outgoing, { idleMs, onJoined: (app) => count(upstream, app) });
    } else {
      outgoing.on("upgrade", (_answer, app) => {
        app.destroy();
        settleWith(exchange, "bad-gateway");
      });
    }
    relayBody(exchange, outgoing, later);
  };

  const failed = (exchange: Exchange, upstream: Upstream, error: Error): void => {
    if (exchange.settled) return;
    exchange.failed.add(upstream);
    const wait = waitBeforeRetry(exchange, error);
    if (wait === null) settleWith(exchange, "bad-gateway");
    else if (wait === 0) attempt(exchange);
    else setTimeout(attempt, wait, exchange);
  };

  return attempt;
}

/** Answers with a page unless an answer has begun. What was sent to the app is taken back. */
export function settleWith(exchange: Exchange, name: PageName): void {
  if (exchange.settled) return;
  exchange.settled = true;
  exchange.current?.destroy();
  answerPage(exchange.request, exchange.response, name);
}

/** Null: Node does not send what its own parser let in, such as bytes above 127 in the path. */
function open(exchange: Exchange, upstream: Upstream, agent: Agent, trusted: boolean): ClientRequest | null {
  const { body, upgrade } = exchange;
  try {
    return send({
      agent,
      host: upstream.host,
      port: upstream.port,
      method: exchange.request.method ?? "GET",
      path: exchange.target.path,
      headers: forwardedHeaders(exchange.request, { body, upgrade: upgrade !== null, trusted }),
      setHost: false,
    });
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** Node's parser lets any three digits in, and sends none below 100. A 101 that nobody asked for would turn the client's connection over. */
function isFinal(answer: IncomingMessage): boolean {
  return (answer.statusCode ?? 0) >= 200;
}

/** A request and, after an upgrade, a connection are under way until they are closed. */
function count(upstream: Upstream, what: { once(event: "close", then: () => void): unknown }): void {
  upstream.underway += 1;
  what.once("close", () => {
    upstream.underway -= 1;
  });
}
