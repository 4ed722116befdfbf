import { createHash } from "node:crypto";
import { chown, lstat } from "node:fs/promises";
import { run } from "../../kernel/run.ts";

export interface UidRange {
  readonly first: number;
  readonly size: number;
}

/**
 * Users that no account has: above what systemd gives to containers (systemd.io/UIDS-GIDS: 524288 to 1879048191), below 2^31. In a
 * container with few users mapped, a range that is left there. `uidMap` is the text of /proc/self/uid_map.
 */
export function sandboxUids(uidMap: string): UidRange {
  const highest = uidMap
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .reduce((most, [first = 0, , size = 0]) => Math.max(most, first + size - 1), 0);
  if (highest >= 2 ** 31 - 1) return { first: 1_900_000_000, size: 200_000_000 };
  if (highest >= 60_000) return { first: 40_000, size: 20_000 };
  return { first: 65_534, size: 1 };
}

/** The same number for the same name, on every machine and after every restart. */
export function uidOf(name: string, range: UidRange): number {
  return range.first + (createHash("sha256").update(name).digest().readUInt32BE(0) % range.size);
}

/**
 * Hands a folder over to a user, links themselves and not what they point at. Only what has another owner is touched: a changed ctime
 * would make git read every file again. Nothing of the user may run meanwhile.
 */
export async function handOver(folder: string, uid: number, gid: number): Promise<void> {
  const words = ["-h", `${uid}:${gid}`];
  await run(
    "/usr/bin/find",
    [
      folder,
      "(",
      "!",
      "-uid",
      String(uid),
      "-o",
      "!",
      "-gid",
      String(gid),
      ")",
      "-exec",
      "chown",
      ...words,
      "{}",
      "+",
    ],
    {
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
      timeoutMs: 300_000,
    },
  );
}

/** Like `handOver`, but believes the folder's own owner: for a cache of many files that only its user writes. */
export async function handOverOnce(folder: string, uid: number, gid: number): Promise<void> {
  const { uid: owner } = await lstat(folder);
  if (owner === uid) return;
  await handOver(folder, uid, gid);
  await chown(folder, uid, gid);
}

/** A release is read by replicas that are different users of one group. */
export async function shareWithGroup(folder: string): Promise<void> {
  await run("/bin/chmod", ["-R", "g+rX,g-w", folder], { env: { PATH: "/usr/bin:/bin" }, timeoutMs: 300_000 });
}
