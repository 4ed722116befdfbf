import { readdirSync, readFileSync, statSync, type Stats } from "node:fs";
import { z } from "zod";

/** Descriptors the guard script keeps its locks on; every child of git inherits them, so they are free only when all of them are dead. */
export const WORKSPACE_LOCK_FD = 9;
export const MIRROR_LOCK_FD = 8;

const Tag = z.tuple([z.string(), z.enum(["deploy", "fill"])]);

export interface Holder {
  readonly pid: number;
  /** The Fairlead process that started it, as `thisOwner` names it; null when it could not be read. */
  readonly owner: string | null;
  readonly work: "deploy" | "fill" | null;
}

/** The environment entry that tells whose work a git process does. Holds no secret. */
export function holderTag(owner: string, work: "deploy" | "fill"): Record<string, string> {
  return { FAIRLEAD_GIT: `${owner} ${work}` };
}

/**
 * Kills the processes that have this lock open, of those `mayKill` agrees to. They are found by the open file itself, not by a remembered
 * pid, which could be somebody else's by now. A scan takes about 3 ms with 200 processes.
 */
export function killHolders(lockFile: string, mayKill: (holder: Holder) => boolean): number {
  const lock = statOrNull(lockFile);
  if (lock === null) return 0;
  let killed = 0;
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid || !hasOpen(pid, lock)) continue;
    if (mayKill({ pid, ...readTag(pid) }) && kill(pid)) killed++;
  }
  return killed;
}

function hasOpen(pid: number, lock: Stats): boolean {
  return [WORKSPACE_LOCK_FD, MIRROR_LOCK_FD].some((fd) => {
    const open = statOrNull(`/proc/${pid}/fd/${fd}`);
    return open !== null && open.ino === lock.ino && open.dev === lock.dev;
  });
}

function readTag(pid: number): Pick<Holder, "owner" | "work"> {
  try {
    const environ = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
    const entry = environ.find((pair) => pair.startsWith("FAIRLEAD_GIT="));
    const tag = Tag.safeParse(entry?.slice("FAIRLEAD_GIT=".length).split(" "));
    if (tag.success) return { owner: tag.data[0], work: tag.data[1] };
  } catch {
    // gone meanwhile, or not ours to read
  }
  return { owner: null, work: null };
}

function statOrNull(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null; // gone, or another user's process
  }
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}
