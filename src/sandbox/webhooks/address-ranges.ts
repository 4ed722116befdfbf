import { BlockList, isIP } from "node:net";

type Range = readonly [network: string, bits: number];

const RESERVED: readonly (readonly [reason: string, ranges: readonly Range[]])[] = [
  [
    "Requests to loopback addresses are not allowed",
    [
      ["127.0.0.0", 8],
      ["::1", 128],
    ],
  ],
  [
    "Requests to the local network are not allowed",
    [
      ["10.0.0.0", 8],
      ["172.16.0.0", 12],
      ["192.168.0.0", 16],
      ["fc00::", 7],
    ],
  ],
  [
    "Requests to the link local network are not allowed",
    [
      ["169.254.0.0", 16],
      ["fe80::", 10],
    ],
  ],
  ["Requests to the shared address space are not allowed", [["100.64.0.0", 10]]],
  ["Requests to the limited broadcast address are not allowed", [["255.255.255.255", 32]]],
];

/** GitLab's reason against the first kind of address that one of these is; null for public ones. */
export function reservedReason(addresses: readonly string[]): string | null {
  const found = RESERVED.find(([, ranges]) => addresses.some((address) => holds(ranges, address)));
  return found?.[0] ?? null;
}

/** Whether an address is the given one or in the given range, `10.0.0.0/8`. */
export function inRange(address: string, range: string): boolean {
  const [network = "", bits] = range.split("/");
  const full = isIP(network) === 6 ? 128 : 32;
  const width = bits === undefined ? full : Number(bits);
  if (!isIP(network) || !Number.isInteger(width) || width < 0 || width > full) return false;
  return holds([[network, width]], address);
}

function holds(ranges: readonly Range[], address: string): boolean {
  const list = new BlockList();
  for (const [network, bits] of ranges) list.addSubnet(network, bits, familyOf(network));
  return isIP(address) !== 0 && list.check(address, familyOf(address));
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}
