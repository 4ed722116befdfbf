import { lookup as systemLookup, type LookupAddress, type LookupOptions } from "node:dns";
import { BlockList, isIP } from "node:net";

/**
 * Addresses that no GitLab lives at and that hand out a cloud machine's credentials: link-local and metadata services. Private and
 * loopback addresses are the normal case for a self-managed GitLab and stay allowed.
 */
function forbidden(): BlockList {
  const list = new BlockList();
  list.addSubnet("169.254.0.0", 16, "ipv4"); // IPv4-mapped IPv6 is covered by this rule too
  list.addSubnet("fe80::", 10, "ipv6");
  for (const aws of ["fd00:ec2::254", "fd00:ec2::23"]) list.addAddress(aws, "ipv6");
  list.addAddress("fd20:ce::254", "ipv6"); // Google
  list.addAddress("100.100.100.200", "ipv4"); // Alibaba
  list.addAddress("168.63.129.16", "ipv4"); // Azure
  list.addAddress("192.0.0.192", "ipv4"); // Oracle
  list.addSubnet("64:ff9b::a9fe:0", 112, "ipv6"); // 169.254.0.0/16 behind NAT64
  list.addSubnet("64:ff9b:1::", 48, "ipv6"); // NAT64 of a network's own: what is behind it cannot be told
  list.addAddress("64:ff9b::6464:64c8", "ipv6"); // Alibaba's behind NAT64
  list.addSubnet("::a9fe:0", 112, "ipv6"); // 169.254.0.0/16 in the old form ::169.254.0.0
  list.addSubnet("2002:a9fe::", 32, "ipv6"); // and behind 6to4
  return list;
}

const FORBIDDEN = forbidden();

/** Whether requests to this IP address are refused whatever the configuration. False for anything that is not an IP address. */
export function isForbiddenAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && FORBIDDEN.check(address, family === 6 ? "ipv6" : "ipv4");
}

const LOOPBACK = loopbackRanges();
const PRIVATE = privateRanges();

function loopbackRanges(): BlockList {
  const list = new BlockList();
  list.addSubnet("127.0.0.0", 8, "ipv4");
  list.addAddress("::1", "ipv6");
  return list;
}

function privateRanges(): BlockList {
  const list = new BlockList();
  list.addSubnet("10.0.0.0", 8, "ipv4");
  list.addSubnet("172.16.0.0", 12, "ipv4");
  list.addSubnet("192.168.0.0", 16, "ipv4");
  list.addSubnet("100.64.0.0", 10, "ipv4");
  list.addSubnet("fc00::", 7, "ipv6");
  return list;
}

/** Which kind of network an IP address belongs to. */
export function describeAddress(address: string): "loopback" | "private" | "public" {
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  if (LOOPBACK.check(address, family)) return "loopback";
  return PRIVATE.check(address, family) ? "private" : "public";
}

/** A name that leads to a forbidden address. Carries the address, nothing else. */
export class ForbiddenAddressError extends Error {
  override readonly name = "ForbiddenAddressError";
  readonly code = "ERR_FORBIDDEN_ADDRESS";
  readonly address: string;

  constructor(address: string) {
    super(`leads to ${address}`);
    this.address = address;
  }
}

type LookupCallback = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/**
 * A `lookup` for sockets: what it returns is what is connected to, so a name cannot pass the check with one answer and be connected
 * with another (DNS rebinding).
 */
export function guardedLookup(hostname: string, options: LookupOptions, callback: LookupCallback): void {
  systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, []);
    const bad = addresses.find(({ address }) => isForbiddenAddress(address));
    if (bad) return callback(new ForbiddenAddressError(bad.address), []);
    if (options.all) return callback(null, addresses);
    const [first] = addresses;
    if (!first) return callback(Object.assign(new Error("no address"), { code: "ENOTFOUND" }), []);
    return callback(null, first.address, first.family);
  });
}
