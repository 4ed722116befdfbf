import { readFileSync } from "node:fs";

/**
 * Names this process for as long as the machine runs: pid, start time in ticks since boot (a pid is given again, a pid with its start
 * time is not) and the boot's id. Written into locks and into the environment of every git.
 */
export function thisOwner(): string {
  const stat = readStat(process.pid);
  return `${process.pid}:${stat?.startTime ?? "unknown"}:${bootId()}`;
}

/** Whether the process so named is dead, or stopped (SIGSTOP): a stopped one cannot say that it gives up. */
export function isGone(owner: string): boolean {
  const [pid, startTime, boot] = owner.split(":");
  if (boot !== bootId()) return true;
  const stat = readStat(Number(pid));
  return stat === null || stat.startTime !== startTime || "ZXxTt".includes(stat.state);
}

function readStat(pid: number): { readonly state: string; readonly startTime: string } | null {
  const text = readOrEmpty(`/proc/${pid}/stat`);
  // the name, second field, is in parentheses and may hold anything, parentheses too
  const [state, ...rest] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const startTime = rest[18];
  return state && startTime ? { state, startTime } : null;
}

function bootId(): string {
  return readOrEmpty("/proc/sys/kernel/random/boot_id").trim();
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // the process is gone: that is the answer
  }
}
