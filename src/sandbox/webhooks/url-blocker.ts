import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";

/**
 * Why GitLab would not send a request to this URL; null when it would. A name that does not resolve is let through. With
 * `allowLocal` only the form of the URL counts.
 */
export async function blockedReason(url: string, allowLocal: boolean): Promise<string | null> {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (!parsed || parsed.hostname === "") return "URI is invalid";
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:")
    return "Only allowed schemes are http, https";
  if (/^[^\p{L}\p{N}]/u.test(decodeURIComponent(parsed.username))) {
    return "Username needs to start with an alphanumeric character";
  }
  if (allowLocal) return null;
  const host = parsed.hostname.replace(/^\[|\]$/g, "");
  if (host === "localhost" || host.endsWith(".localhost")) return "Requests to localhost are not allowed";
  const addresses = isIP(host) ? [host] : await addressesOf(host);
  return addresses.map(reasonOf).find((reason) => reason !== null) ?? null;
}

async function addressesOf(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    return []; // an unresolvable host is accepted when a hook is saved; its delivery then fails by itself
  }
}

const RANGES: readonly (readonly [
  reason: string,
  ranges: readonly (readonly [string, number, "ipv4" | "ipv6"])[],
])[] = [
  [
    "Requests to loopback addresses are not allowed",
    [
      ["127.0.0.0", 8, "ipv4"],
      ["::1", 128, "ipv6"],
      ["0.0.0.0", 32, "ipv4"],
      ["::", 128, "ipv6"],
    ],
  ],
  [
    "Requests to the link local network are not allowed",
    [
      ["169.254.0.0", 16, "ipv4"],
      ["fe80::", 10, "ipv6"],
    ],
  ],
  ["Requests to the shared address space are not allowed", [["100.64.0.0", 10, "ipv4"]]],
  ["Requests to the limited broadcast address are not allowed", [["255.255.255.255", 32, "ipv4"]]],
  [
    "Requests to the local network are not allowed",
    [
      ["10.0.0.0", 8, "ipv4"],
      ["172.16.0.0", 12, "ipv4"],
      ["192.168.0.0", 16, "ipv4"],
      ["fc00::", 7, "ipv6"],
    ],
  ],
];

function reasonOf(address: string): string | null {
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  for (const [reason, ranges] of RANGES) {
    const list = new BlockList();
    for (const [net, bits, kind] of ranges) list.addSubnet(net, bits, kind);
    if (list.check(address, family)) return reason;
  }
  return null;
}
