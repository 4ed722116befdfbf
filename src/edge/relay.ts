import type { ClientRequest, IncomingMessage } from "node:http";
import type { Exchange } from "./exchange.ts";
import { returnedHeaders } from "./headers.ts";
import type { Later } from "./later.ts";

/** Sends the app's answer on to the client as it comes, at the pace of the slower of both. */
export function relayAnswer(exchange: Exchange, answer: IncomingMessage, later: Later): void {
  const { request, response } = exchange;
  exchange.settled = true;
  response.writeHead(answer.statusCode ?? 502, returnedHeaders(answer));
  let left = bytesToCome(request, answer);
  let begun = false;
  // The head of a short answer goes out together with its body; but nobody waits for an event stream's first event to see its head.
  setImmediate(() => {
    if (!begun && !response.destroyed) response.flushHeaders();
  });
  answer.on("data", (chunk: Buffer) => {
    begun = true;
    left -= chunk.length;
    if (left <= 0) later(() => response.destroyed || response.end(chunk));
    else if (!response.write(chunk)) pauseUntilDrained(exchange, answer);
  });
  answer.on("end", () => {
    begun = true;
    if (left > 0) finish(exchange, answer);
  });
  // Cut, not ended: an answer that broke off must not look like a whole one.
  answer.on("close", () => {
    if (!answer.complete) response.destroy();
  });
  answer.on("error", () => response.destroy());
}

/** By which the last chunk is known as such before the end is. Infinite where no chunk tells it. */
function bytesToCome(request: IncomingMessage, answer: IncomingMessage): number {
  const bodyless = request.method === "HEAD" || answer.statusCode === 204 || answer.statusCode === 304;
  const length = bodyless ? 0 : Number(answer.headers["content-length"] ?? 0);
  return length > 0 ? length : Number.POSITIVE_INFINITY;
}

function pauseUntilDrained(exchange: Exchange, answer: IncomingMessage): void {
  answer.pause();
  exchange.response.once("drain", () => answer.resume());
}

function finish({ response }: Exchange, answer: IncomingMessage): void {
  if (answer.rawTrailers.length > 0) {
    const pairs: [string, string][] = [];
    for (let i = 0; i + 1 < answer.rawTrailers.length; i += 2) {
      pairs.push([answer.rawTrailers[i] ?? "", answer.rawTrailers[i + 1] ?? ""]);
    }
    response.addTrailers(pairs);
  }
  response.end();
}

/** Sends the request's body once there is a connection: until then another target may still be tried. */
export function relayBody(exchange: Exchange, outgoing: ClientRequest, later: Later): void {
  if (exchange.body === "none") {
    later(() => outgoing.destroyed || outgoing.end());
    return;
  }
  outgoing.once("socket", (socket) => {
    const send = (): void => void exchange.request.pipe(outgoing);
    if (socket.connecting) socket.once("connect", send);
    else send();
  });
  // With this the request's head goes out before the first byte of its body has come.
  outgoing.flushHeaders();
}
