import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import type { HuntReport, Leak } from "./leak-hunter.ts";
import { secretForms } from "./secret-forms.ts";

/**
 * The hunting thread. All words are read in each sweep. Reading all environments too takes longer than 5 ms with 200 processes, so
 * the environment is read in each sweep only of processes that are young or have just changed their words (exec), and of all in each
 * twentieth.
 */
const { secrets, everyMs, rootPid } = workerData as { secrets: string[]; everyMs: number; rootPid?: number };

const YOUNG_MS = 500;
const ALL_EVERY = 20;

interface Seen {
  readonly since: number;
  /** Whether it belongs to the hunted part of the tree. */
  readonly hunted: boolean;
  words: Buffer;
  environ: Buffer;
  lastSweep: number;
}

const forms = secretForms(secrets);
const processes = new Map<number, Seen>();
const leaks = new Map<string, Leak>();
const gaps: number[] = [];
let sweeps = 0;
let read = 0;
let lastBegin = 0;

function sweep(): void {
  const begin = performance.now();
  if (lastBegin > 0) gaps.push(begin - lastBegin);
  lastBegin = begin;
  sweeps++;
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (Number.isInteger(pid)) look(pid, begin);
  }
  for (const [pid, seen] of processes) if (seen.lastSweep !== sweeps) processes.delete(pid);
}

function look(pid: number, now: number): void {
  const known = processes.get(pid) ?? meet(pid, now);
  known.lastSweep = sweeps;
  if (!known.hunted) return;
  const words = readAll(`/proc/${pid}/cmdline`);
  const changed = !words.equals(known.words);
  if (changed) note("argv", pid, words);
  known.words = words;
  if (!changed && now - known.since > YOUNG_MS && (sweeps + pid) % ALL_EVERY !== 0) return;
  const environ = readAll(`/proc/${pid}/environ`);
  if (!environ.equals(known.environ)) note("environ", pid, environ);
  known.environ = environ;
}

function meet(pid: number, now: number): Seen {
  const nothing = Buffer.alloc(0);
  const seen: Seen = {
    since: now,
    hunted: isHunted(pid),
    words: nothing,
    environ: nothing,
    lastSweep: sweeps,
  };
  processes.set(pid, seen);
  if (seen.hunted) read++;
  return seen;
}

function isHunted(pid: number): boolean {
  if (rootPid === undefined || pid === rootPid) return true;
  const stat = readAll(`/proc/${pid}/stat`).toString("latin1");
  const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  if (!(parent > 1) || parent === pid) return false;
  return processes.get(parent)?.hunted ?? isHunted(parent);
}

function note(where: "argv" | "environ", pid: number, bytes: Buffer): void {
  for (const form of forms) {
    if (!bytes.includes(form.bytes)) continue;
    const program = readAll(`/proc/${pid}/comm`).toString("latin1").trim();
    const leak: Leak = { where, secret: form.secret, form: form.form, pid, program };
    leaks.set(JSON.stringify([where, form.secret, form.form, pid]), leak);
  }
}

const piece = Buffer.alloc(1 << 17);

/** Empty when the process is gone or another user's. */
function readAll(path: string): Buffer {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return Buffer.alloc(0);
  }
  try {
    const parts: Buffer[] = [];
    for (;;) {
      const length = readSync(fd, piece, 0, piece.length, null);
      if (length === 0) return Buffer.concat(parts);
      parts.push(Buffer.from(piece.subarray(0, length)));
      if (length < piece.length && length % 4096 !== 0) return Buffer.concat(parts);
    }
  } catch {
    return Buffer.alloc(0);
  } finally {
    closeSync(fd);
  }
}

function report(): HuntReport {
  const sorted = [...gaps].sort((a, b) => a - b);
  return {
    leaks: [...leaks.values()],
    sweeps,
    processes: read,
    longestGapMs: sorted.at(-1) ?? 0,
    medianGapMs: sorted[Math.floor(sorted.length / 2)] ?? 0,
  };
}

sweep();
parentPort?.postMessage("ready", []);
const timer = setInterval(sweep, everyMs);
parentPort?.on("message", () => {
  clearInterval(timer);
  sweep();
  parentPort?.postMessage(report(), []);
  parentPort?.close();
});
