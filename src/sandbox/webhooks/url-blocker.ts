import { lookup } from "node:dns/promises";
import { networkInterfaces } from "node:os";
import { isIP } from "node:net";
import { inRange, reservedReason } from "./address-ranges.ts";

/** What an administrator lets webhooks reach (§7.5). */
export interface OutboundPolicy {
  readonly allowLocal: boolean;
  readonly allowlist: readonly string[];
  readonly denyAll: boolean;
  /** A name that does not resolve is refused. GitLab has this off when a hook is saved, on when it is called. */
  readonly mustResolve: boolean;
  /** GitLab's own address, which is always reached. */
  readonly ownUrl: string;
}

export type Verdict =
  /** The address that was checked; null: the name did not resolve, or nothing was asked. */
  { readonly blocked: null; readonly address: string | null } | { readonly blocked: string };

/** Why GitLab would not send a request to this URL, in its own words and order; or where the request goes. */
export async function judgeUrl(url: string, policy: OutboundPolicy): Promise<Verdict> {
  const malformed = formProblem(url);
  if (malformed !== null) return { blocked: malformed };
  const parsed = new URL(url);
  const host = parsed.hostname.replace(/^\[|\]$/g, "");
  const addresses = isIP(host) ? [host] : await addressesOf(host);
  const address = addresses[0] ?? null;
  if (isOwn(parsed, policy.ownUrl) || isListed(host, portOf(parsed), addresses, policy.allowlist)) {
    return { blocked: null, address };
  }
  if (addresses.length === 0 && policy.mustResolve) return { blocked: "Host cannot be resolved or invalid" };
  if (policy.denyAll) {
    return { blocked: "Requests to hosts and IP addresses not on the Allow List are denied" };
  }
  const reason = policy.allowLocal ? null : localReason(addresses);
  return reason === null ? { blocked: null, address } : { blocked: reason };
}

function formProblem(url: string): string | null {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (!parsed || parsed.hostname === "") return "URI is invalid";
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:")
    return "Only allowed schemes are http, https";
  if (/^[^\p{L}\p{N}]/u.test(decoded(parsed.username))) {
    return "Username needs to start with an alphanumeric character";
  }
  return null;
}

export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function addressesOf(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
}

function portOf(url: URL): number {
  return Number(url.port || (url.protocol === "https:" ? "443" : "80"));
}

function isOwn(url: URL, ownUrl: string): boolean {
  const own = new URL(ownUrl);
  return own.hostname === url.hostname && portOf(own) === portOf(url);
}

/** `host`, `host:port`, `address`, `[address]:port` or `range`; a host matches whole, there are no wildcards. */
function isListed(
  host: string,
  port: number,
  addresses: readonly string[],
  list: readonly string[],
): boolean {
  return list.some((entry) => {
    const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(entry);
    const name = match?.[1] ?? match?.[2] ?? entry;
    if (match?.[3] !== undefined && Number(match[3]) !== port) return false;
    if (isIP(name) || name.includes("/")) return addresses.some((address) => inRange(address, name));
    return name.toLowerCase() === host.toLowerCase();
  });
}

/** The machine's own addresses are "localhost" before they are loopback or private. */
function localReason(addresses: readonly string[]): string | null {
  const own = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
  const local = new Set(["::", "0.0.0.0", "127.0.0.1", "::1", ...own]);
  if (addresses.some((address) => local.has(address))) return "Requests to localhost are not allowed";
  return reservedReason(addresses);
}
