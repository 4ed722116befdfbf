import type { IncomingMessage } from "node:http";

/** RFC 9110 §7.6.1: these speak of one connection only, and each side of the edge has its own. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
/** What a client claims about its way to us. We say it ourselves, so that an app can trust it. */
const CLAIMS = [
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-forwarded-port",
  "x-real-ip",
];

const NOT_FORWARDED: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  ...CLAIMS,
  "content-length",
  "expect",
  "http2-settings",
]);
const NOT_RETURNED: ReadonlySet<string> = new Set(HOP_BY_HOP);
/** `Connection: host` must not take away what the app decides by. */
const NEVER_NAMED: ReadonlySet<string> = new Set(["host", "content-length", "cookie", "authorization"]);

export type BodyKind = "none" | "length" | "chunked";

/**
 * A request's body as its framing says, or null when the framing may be read in two ways. Node's parser refuses both framings
 * together; we refuse also what it lets pass and an app could read otherwise.
 */
export function bodyOf(request: IncomingMessage): BodyKind | null {
  const coding = request.headers["transfer-encoding"];
  const length = request.headers["content-length"];
  if (coding !== undefined) {
    return length === undefined && coding.toLowerCase() === "chunked" && request.httpVersion !== "1.0"
      ? "chunked"
      : null;
  }
  if (length === undefined) return "none";
  return /^[0-9]+$/.test(length) ? (Number(length) === 0 ? "none" : "length") : null;
}

interface ForwardOptions {
  readonly body: BodyKind;
  readonly upgrade: boolean;
  /** Whether another proxy of ours stands in front, so that what the request says of its way is true. */
  readonly trusted: boolean;
}

/** The headers of a request as the app gets them, as a flat list of names and values. */
export function forwardedHeaders(request: IncomingMessage, options: ForwardOptions): string[] {
  const { body, upgrade, trusted } = options;
  const headers = without(request, NOT_FORWARDED);
  const { host = "", "content-length": length } = request.headers;
  const client = plainAddress(request.socket.remoteAddress);
  const claimed = (name: string): string | null => (trusted ? one(request.headers[name]) : null);
  const before = claimed("x-forwarded-for");
  headers.push("X-Forwarded-For", before === null ? client : `${before}, ${client}`);
  headers.push("X-Forwarded-Host", claimed("x-forwarded-host") ?? host);
  headers.push("X-Forwarded-Proto", claimed("x-forwarded-proto") ?? "http");
  if (body === "chunked") headers.push("Transfer-Encoding", "chunked");
  else if (length !== undefined) headers.push("Content-Length", length);
  else if (!MAY_LACK_LENGTH.has(request.method ?? "")) headers.push("Content-Length", "0");
  if (upgrade) headers.push("Connection", "Upgrade", "Upgrade", "websocket");
  return headers;
}

/** Without a length Node announces a chunked body for any other method. */
const MAY_LACK_LENGTH: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"]);

/** The headers of an answer as the client gets them. */
export function returnedHeaders(response: IncomingMessage): string[] {
  return without(response, NOT_RETURNED);
}

function without(message: IncomingMessage, dropped: ReadonlySet<string>): string[] {
  const raw = message.rawHeaders;
  const named = namedByConnection(message.headers.connection);
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? "";
    const key = name.toLowerCase();
    if (!dropped.has(key) && !named?.has(key) && !isDisguised(key, dropped))
      kept.push(name, raw[i + 1] ?? "");
  }
  return kept;
}

/** Programs that get headers as variables (CGI, WSGI, PHP) read `x_forwarded_for` as `x-forwarded-for`. */
function isDisguised(key: string, dropped: ReadonlySet<string>): boolean {
  return key.includes("_") && dropped.has(key.replaceAll("_", "-"));
}

function namedByConnection(value: string | undefined): ReadonlySet<string> | null {
  if (value === undefined || value === "keep-alive" || value === "close") return null;
  const names = value.split(",").map((name) => name.trim().toLowerCase());
  return new Set(names.filter((name) => !NEVER_NAMED.has(name)));
}

/** Node joins repeated ones with a comma. */
function one(value: string | readonly string[] | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** An IPv4 client of a socket that listens on `::` is seen as `::ffff:192.0.2.1`. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return "unknown";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}
