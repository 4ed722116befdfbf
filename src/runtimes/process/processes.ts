import { readdirSync, readFileSync } from "node:fs";

/**
 * A process, named so that a reused number is not mistaken for it: `startTime` is field 22 of /proc/<pid>/stat (clock ticks since boot),
 * `boot` the kernel's boot id, because after a restart of the machine both may repeat.
 */
export interface ProcessRef {
  readonly pid: number;
  readonly startTime: string;
  readonly boot: string;
}

export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** What identifies the process that has this number now; null when there is none, or only its zombie. */
export function findProcess(pid: number): ProcessRef | null {
  const stat = readStat(pid);
  return stat === null || stat.state === "Z" || stat.state === "X"
    ? null
    : { pid, startTime: stat.startTime, boot: bootId() };
}

/** Whether this very process still runs. A zombie does not: the kernel has emptied its namespace before it becomes one. */
export function isAlive(ref: ProcessRef): boolean {
  const found = findProcess(ref.pid);
  return found !== null && found.startTime === ref.startTime && found.boot === ref.boot;
}

/** Sends a signal to this very process; false when it is gone. */
export function signalProcess(ref: ProcessRef, signal: NodeJS.Signals): boolean {
  if (!isAlive(ref)) return false;
  try {
    return process.kill(ref.pid, signal);
  } catch {
    return false; // it ended in between
  }
}

/** The direct children of a process that has one thread. */
export function listChildren(pid: number): readonly ProcessRef[] {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
  } catch {
    return findAll((stat) => stat.parent === pid); // a kernel without CONFIG_PROC_CHILDREN, or the process is gone
  }
  const pids = text.trim().split(" ").filter(Boolean).map(Number);
  return pids.map(findProcess).filter((ref) => ref !== null);
}

/** Every living process that `wanted` says yes to. Never this one. */
export function findAll(wanted: (stat: ProcessStat) => boolean): readonly ProcessRef[] {
  const boot = bootId();
  const found: ProcessRef[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const stat = readStat(pid);
    if (stat === null || stat.state === "Z" || stat.state === "X" || !wanted(stat)) continue;
    found.push({ pid, startTime: stat.startTime, boot });
  }
  return found;
}

export interface ProcessStat {
  readonly pid: number;
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly startTime: string;
}

function readStat(pid: number): ProcessStat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return null;
  }
  // The second field is the program's name in parentheses and may hold spaces and parentheses itself: proc_pid_stat(5).
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return {
    pid,
    state: fields[0] ?? "X",
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    startTime: fields[19] ?? "",
  };
}

/** Whether the environment a process was started with holds this word (`NAME=value`). */
export function startedWith(pid: number, word: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(word);
  } catch {
    return false;
  }
}

/** The real user id of a process; null when it is gone. */
export function findUid(pid: number): number | null {
  try {
    const line = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
    return line === null ? null : Number(line[1]);
  } catch {
    return null;
  }
}
