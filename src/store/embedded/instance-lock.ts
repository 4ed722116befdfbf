import { readFile, writeFile } from "node:fs/promises";
import { Fault } from "../../faults/fault.ts";
import { deadline } from "../../kernel/clock.ts";
import { waitUntil } from "../../kernel/retry.ts";
import { launch } from "../../kernel/run.ts";
import { findStartTime } from "./processes.ts";

/**
 * One Fairlead per data folder. The kernel keeps the lock (flock), so it ends with its holder, however that ends: a child holds it and
 * ends when its input closes. The file says who holds it. Where the `flock` program is missing, the file alone decides, by process id and
 * start time.
 */
export async function claimInstance(path: string, program = "flock"): Promise<AsyncDisposable> {
  const held = await waitUntil(() => tryClaim(path, program), {
    everyMs: 50,
    signal: deadline(RELEASE_MS),
  }).catch(async (error: unknown) => {
    if (error instanceof Error && error.name === "TimeoutError") throw await inUse(path);
    throw error;
  });
  await using undo = new AsyncDisposableStack();
  undo.use(held);
  await writeFile(path, `${process.pid} ${await findStartTime(process.pid)}\n`, { mode: 0o600 });
  return undo.move();
}

/** A killed holder is gone, and its lock free, some milliseconds later; a busy machine takes longer. */
const RELEASE_MS = 1_500;

/** Null while somebody else holds it. */
async function tryClaim(path: string, program: string): Promise<AsyncDisposable | null> {
  const held = await holdLock(path, program);
  if (held === "taken") return null;
  if (held !== "no_program") return held;
  return (await isHolderAlive(path)) ? null : { [Symbol.asyncDispose]: async () => {} };
}

async function inUse(path: string): Promise<Fault> {
  const pid = (await readHolder(path))?.pid;
  return Fault.of("DATABASE_UNAVAILABLE", "in_use", {
    message: `another Fairlead uses this data folder: process ${pid ?? "unknown"}. Stop it first, or give this one a data folder of its own.`,
    evidence: { lock: path, pid },
  });
}

type Held = AsyncDisposable | "taken" | "no_program";

async function holdLock(path: string, program: string): Promise<Held> {
  await writeFile(path, "", { flag: "a", mode: 0o600 });
  const child = launch(program, ["-n", path, "cat"], {
    env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C" },
    keepStdin: true,
  });
  child.stdin?.on("error", () => {}); // a refused lock ends the child before it reads
  child.stderr?.resume();
  child.stdin?.write("held\n");
  const echoed = new Promise<"held">((resolve) => child.stdout?.once("data", () => resolve("held")));
  const first = await Promise.race([echoed, child.ended]);
  if (first !== "held") {
    if (first.spawnError) return "no_program";
    if (first.exitCode === 1) return "taken";
    throw Fault.of("DATABASE_UNAVAILABLE", "", { message: `cannot lock ${path} (flock: ${first.exitCode})` });
  }
  return {
    [Symbol.asyncDispose]: async () => {
      child.stdin?.end();
      await child.ended;
    },
  };
}

async function readHolder(path: string): Promise<{ pid: number; startTime: string } | null> {
  const [pid, startTime] = (await readFile(path, "utf8").catch(() => "")).trim().split(" ");
  return pid && startTime ? { pid: Number(pid), startTime } : null;
}

async function isHolderAlive(path: string): Promise<boolean> {
  const holder = await readHolder(path);
  return holder !== null && (await findStartTime(holder.pid)) === holder.startTime;
}
