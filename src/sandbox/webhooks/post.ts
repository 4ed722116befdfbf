import { request as plainRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as tlsRequest } from "node:https";
import { blockedReason } from "./url-blocker.ts";

/** HTTParty's limit. */
const MAX_REDIRECTS = 5;
/** Of an answer GitLab keeps what fits in its log. */
const KEPT_BYTES = 8 * 1024;

export interface Outgoing {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** False: private addresses are refused, also behind a redirect. */
  readonly allowLocal: boolean;
  readonly verifyTls: boolean;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Posts as GitLab's HTTP client does: redirects are followed, and 301, 302 and 303 turn the POST into a GET without a body. */
export async function post(url: string, outgoing: Outgoing): Promise<Answer> {
  let at = new URL(url);
  let method = "POST";
  for (let hop = 0; ; hop++) {
    const answer = await send(at, method, outgoing);
    const location = answer.headers["location"];
    const redirects = answer.status >= 301 && answer.status <= 308 && answer.status !== 304;
    if (!redirects || location === undefined) return answer;
    if (hop >= MAX_REDIRECTS) throw new Error("HTTP redirects too deep");
    at = new URL(location, at);
    if (answer.status <= 303) method = "GET";
  }
}

async function send(url: URL, method: string, outgoing: Outgoing): Promise<Answer> {
  const blocked = await blockedReason(url.href, outgoing.allowLocal);
  if (blocked !== null) throw new Error(`URL is blocked: ${blocked}`);
  const withBody = method === "POST";
  const body = Buffer.from(withBody ? outgoing.body : "");
  const options: RequestOptions = {
    method,
    headers: {
      ...outgoing.headers,
      Accept: "*/*",
      Connection: "close",
      ...(withBody ? { "Content-Length": String(body.length) } : {}),
    },
    signal: outgoing.signal,
    agent: false,
    ...(url.username === ""
      ? {}
      : { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` }),
  };
  const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
    const start = url.protocol === "https:" ? tlsRequest : plainRequest;
    const call = start(url, { ...options, rejectUnauthorized: outgoing.verifyTls }, resolve);
    call.once("error", (error) =>
      reject(outgoing.signal.aborted ? outgoing.signal.reason : connectionError(url, error)),
    );
    call.end(body);
  });
  return {
    status: incoming.statusCode ?? 0,
    headers: flat(incoming.headers),
    body: await readSome(incoming),
  };
}

function connectionError(url: URL, error: Error): Error {
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const refused = "code" in error && (error.code === "ECONNREFUSED" || error.code === "ENOTFOUND");
  return refused
    ? new Error(`Failed to open TCP connection to ${url.hostname}:${port} (${error.message})`, {
        cause: error,
      })
    : error;
}

async function readSome(incoming: IncomingMessage): Promise<string> {
  let text = "";
  incoming.setEncoding("utf8");
  for await (const piece of incoming) if (text.length < KEPT_BYTES) text += String(piece);
  return text.slice(0, KEPT_BYTES);
}

function flat(headers: IncomingMessage["headers"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
}
