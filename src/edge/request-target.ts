import type { IncomingMessage } from "node:http";
import { hostOf } from "./hosts.ts";

export interface RequestTarget {
  /** The key of the route. */
  readonly host: string;
  /** Path and query, as sent. */
  readonly path: string;
}

/** Where a request wants to go, or null when its parts contradict each other. */
export function requestTargetOf(request: IncomingMessage): RequestTarget | null {
  const url = request.url ?? "";
  const host = hostOf(request.headers.host ?? "");
  if (host === null || hasTwoHosts(request.rawHeaders)) return null;
  if (url.startsWith("/") || (url === "*" && request.method === "OPTIONS")) return { host, path: url };
  return absoluteForm(url, host);
}

/** Node keeps the first `Host` and drops the others; an app might choose another one. */
function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let seen = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.length === 4 && rawHeaders[i]?.toLowerCase() === "host") seen += 1;
  }
  return seen > 1;
}

/** `GET http://app.example/path`: allowed by RFC 9112 §3.2.2 when it says the same as `Host`. */
function absoluteForm(url: string, host: string): RequestTarget | null {
  const parts = /^https?:\/\/([^/?#@]+)(\/[^#]*|\?[^#]*)?$/i.exec(url);
  if (parts?.[1] === undefined || hostOf(parts[1]) !== host) return null;
  const rest = parts[2] ?? "/";
  return { host, path: rest.startsWith("/") ? rest : `/${rest}` };
}
