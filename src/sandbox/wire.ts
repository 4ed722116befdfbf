import { createHash, randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Box } from "./box.ts";
import { throttle } from "./git/throttle.ts";
import type { Reply } from "./reply.ts";

/** How a reply's body arrives. */
export interface Carriage {
  readonly body: "whole" | "truncated" | "invalid_json" | "empty";
  readonly bytesPerSecond: number | null;
}

export const WHOLE: Carriage = { body: "whole", bytesPerSecond: null };

/** 26 characters of Crockford base32, like the ULIDs of GitLab. */
export function newRequestId(): string {
  const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  return `01${Array.from(randomBytes(24), (byte) => alphabet.charAt(byte % 32)).join("")}`;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** Of `performance.now()`. */
  readonly started: number;
}

/** Puts a reply on the wire with the headers that Rails, or nginx, gives it. Resolves when it is sent or the client has gone. */
export async function sendReply(box: Box, exchange: Exchange, reply: Reply, how: Carriage): Promise<void> {
  const { request, response } = exchange;
  const whole = bodyOf(reply);
  const body = how.body === "invalid_json" ? half(whole) : how.body === "empty" ? Buffer.of() : whole;
  response.statusCode = reply.status;
  if (reply.fromProxy !== true) railsHeaders(box, exchange);
  if (whole.length > 0) response.setHeader("Content-Type", reply.contentType ?? "application/json");
  if (reply.json !== undefined) cacheHeaders(response, body);
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  if (reply.status !== 204) response.setHeader("Content-Length", body.length);
  if (request.method === "HEAD" || reply.status === 204) response.end();
  else await sendBody(exchange, body, how);
}

async function sendBody({ request, response }: Exchange, body: Buffer, how: Carriage): Promise<void> {
  if (how.body === "truncated") response.write(half(body), () => request.socket.destroy());
  else if (how.bytesPerSecond === null) response.end(body);
  else {
    const pace = throttle(() => how.bytesPerSecond);
    await pipeline(Readable.from([body]), pace, response).catch(() => {}); // the client went away
  }
}

function half(body: Buffer): Buffer {
  return body.subarray(0, Math.ceil(body.length / 2));
}

function railsHeaders(box: Box, { response, requestId, started }: Exchange): void {
  response.setHeader("X-Request-Id", requestId);
  response.setHeader("X-Runtime", ((performance.now() - started) / 1000).toFixed(6));
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("X-Frame-Options", "SAMEORIGIN");
  if (box.version.has("correlationHeaders")) {
    response.setHeader("X-Gitlab-Meta", JSON.stringify({ correlation_id: requestId, version: "1" }));
  }
}

function bodyOf(reply: Reply): Buffer {
  if (reply.text !== undefined) return Buffer.from(reply.text);
  return Buffer.from(reply.json === undefined ? "" : JSON.stringify(reply.json));
}

function cacheHeaders(response: ServerResponse, body: Buffer): void {
  response.setHeader("Cache-Control", "max-age=0, private, must-revalidate");
  response.setHeader("ETag", `W/"${createHash("md5").update(body).digest("hex")}"`);
  response.setHeader("Vary", "Origin");
}
