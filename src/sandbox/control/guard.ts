import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { Reply } from "../reply.ts";
import { digestOf } from "../state.ts";

/** Who may use the control and the page. */
export interface Door {
  /** Digest of the control token; null: everybody on this machine, as it listens on loopback only. */
  readonly tokenDigest: string | null;
}

/** Whether only this machine reaches an address to listen at. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "");
  if (isIP(name) === 4) return name.startsWith("127.");
  return name === "::1" || name === "localhost";
}

/**
 * Why this request may not use the control or see the page; null when it may. A page of another site that a person has open can
 * send requests here (cross-site POST), or make its own name point here (DNS rebinding): the first is told by `Origin` and
 * `Sec-Fetch-Site`, the second by `Host`. With a control token its holder is trusted under any name.
 */
export function refuseStranger(door: Door, request: IncomingMessage): Reply | null {
  const host = request.headers.host ?? "";
  const { origin } = request.headers;
  if (origin !== undefined && !isOwnOrigin(origin, host)) {
    return refused(403, `requests of pages from ${shown(origin)} are refused`);
  }
  if (isOfOtherSite(request)) return refused(403, "requests of pages from other sites are refused");
  if (door.tokenDigest === null) {
    const known = isLoopback(hostName(host));
    return known ? null : refused(403, `this sandbox is not called ${shown(host)}; use localhost`);
  }
  if (holds(request.headers.authorization, door.tokenDigest)) return null;
  const reply = refused(401, "the control token is missing: as Bearer token, or as password of any user");
  return { ...reply, headers: { "WWW-Authenticate": 'Basic realm="Fairlead sandbox"' } };
}

/** A link to the page may stand anywhere: what it opens stays hidden from whoever shows it, and is in no frame of theirs. */
function isOfOtherSite({ method, headers }: IncomingMessage): boolean {
  const site = headers["sec-fetch-site"];
  const opened = method === "GET" && headers["sec-fetch-dest"] === "document";
  return site !== undefined && site !== "same-origin" && site !== "none" && !opened;
}

function refused(status: number, error: string): Reply {
  return { status, json: { error }, fromProxy: true };
}

function isOwnOrigin(origin: string, host: string): boolean {
  return URL.canParse(origin) && host !== "" && new URL(origin).host === host.toLowerCase();
}

function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, "");
}

function holds(authorization: string | undefined, digest: string): boolean {
  const [, scheme = "", value = ""] = /^(Bearer|Basic) +(\S+) *$/i.exec(authorization ?? "") ?? [];
  const pair = Buffer.from(value, "base64").toString("utf8");
  const given = scheme.toLowerCase() === "basic" ? pair.slice(pair.indexOf(":") + 1) : value;
  return timingSafeEqual(Buffer.from(digestOf(given)), Buffer.from(digest));
}

/** What a stranger sent, cut and without anything that could be more than a name. */
function shown(text: string): string {
  return text.replaceAll(/[^\w.:/[\]-]/g, "?").slice(0, 100);
}
