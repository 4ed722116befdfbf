import { readFileSync } from "node:fs";
import { link, readdir } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { writeFileAtomic } from "../../kernel/atomic-file.ts";
import { deadline, sleep } from "../../kernel/clock.ts";
import { launch } from "../../kernel/run.ts";
import { findSandbox, killSandbox, type SandboxProcesses } from "./containment.ts";
import type { LaunchOrder, LauncherState } from "./launcher-files.ts";
import { openLogFile, type LogFile } from "./log-file.ts";
import { findProcess } from "./processes.ts";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** A replica that ran this long starts its back-off anew. */
const STABLE_MS = 60_000;

/**
 * The small process that stands over one replica: starts it, starts it again when it ends, writes down what it sees, keeps its output. It
 * outlives Fairlead; the replica's sandbox does not outlive it. SIGTERM stops both, within the milliseconds in the file `grace`.
 * Imports little: it is there once for every replica.
 */
export async function runLauncher(argv: readonly string[]): Promise<void> {
  const [folder] = argv;
  if (folder === "--prime") return;
  const self = findProcess(process.pid);
  if (folder === undefined || self === null) throw new Error("usage: __launcher <folder of the replica>");
  const words = await text(process.stdin);
  if (words === "") return; // whoever started this has died before it knew what to run
  const order: LaunchOrder = JSON.parse(words); // our own words, from the Fairlead that started this
  if (!(await claim(folder, JSON.stringify(self))) || (await isOvertaken(order))) return;
  const stop = new AbortController();
  process.on("SIGTERM", () => stop.abort());
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
  const log = openLogFile(join(folder, "out.log"), order.logBytes);
  const state: LauncherState = {
    launcher: self,
    sandbox: null,
    state: "starting",
    starts: 0,
    exitCode: null,
    startedAt: Date.now(),
  };
  await standOver({ folder, order, log, stop: stop.signal }, state);
}

/** Only one launcher for a replica: whoever gives its file the name first. Never seen half written. */
async function claim(folder: string, self: string): Promise<boolean> {
  const own = join(folder, `launcher.${process.pid}`);
  try {
    await writeFileAtomic(own, self);
    await link(own, join(folder, "launcher.json"));
    return true;
  } catch {
    return false; // another holds it, or the replica was removed before this process began
  }
}

async function isOvertaken(order: LaunchOrder): Promise<boolean> {
  const attempts = await readdir(join(order.fences, order.fence.deploymentId));
  return attempts.some((attempt) => Number(attempt) > order.fence.attempt);
}

interface Post {
  readonly folder: string;
  readonly order: LaunchOrder;
  readonly log: LogFile;
  readonly stop: AbortSignal;
}

async function standOver(post: Post, initial: LauncherState): Promise<void> {
  let state = initial;
  let wait = FIRST_WAIT_MS;
  const change = async (changes: Partial<LauncherState>): Promise<void> => {
    state = { ...state, ...changes };
    await writeFileAtomic(join(post.folder, "state.json"), JSON.stringify(state));
  };
  while (!post.stop.aborted) {
    const startedAt = Date.now();
    const exitCode = await runOnce(post, async (sandbox) => {
      await change({ state: "running", sandbox, starts: state.starts + 1, startedAt });
    });
    if (post.stop.aborted) break;
    if (Date.now() - startedAt >= STABLE_MS) wait = FIRST_WAIT_MS;
    post.log.write(Buffer.from(`[fairlead] exited with ${exitCode}; starts again in ${wait / 1000} s\n`));
    await change({ state: "backing_off", sandbox: null, exitCode });
    await sleep(wait, post.stop).catch(() => {}); // stopped: the loop's condition says so
    wait = Math.min(LONGEST_WAIT_MS, wait * 2);
  }
  await change({ state: "exited", sandbox: null });
}

/** One life of the replica. Returns its exit code when nothing of it lives. */
async function runOnce(post: Post, onStarted: (sandbox: SandboxProcesses) => Promise<void>): Promise<number> {
  const { order, log } = post;
  const program = launch(order.file, order.args, { env: {}, keepStdin: true });
  for (const stream of [program.stdout, program.stderr])
    stream?.on("data", (chunk: Buffer) => log.write(chunk));
  program.stdin?.on("error", () => {}); // it ended before it read: its exit code says so
  const exited = new Promise<number>((resolve) => {
    program.channel.once("exit", (code, signal) => resolve(code ?? (signal === null ? 1 : 137)));
    program.channel.once("error", () => resolve(127));
  });
  const sandbox = await findSandbox(program.pid, order.containment);
  if (sandbox === null) return exited;
  const onStop = (): void => void endLife(post, program.stdin, sandbox).catch(() => {}); // unkillable: `stop` says so
  try {
    await onStarted(sandbox);
    program.stdin?.write(order.input);
    if (post.stop.aborted) onStop();
    else post.stop.addEventListener("abort", onStop, { once: true });
    const code = await exited;
    await killSandbox(sandbox, order.containment);
    return code;
  } catch (error) {
    await killSandbox(sandbox, order.containment); // the state could not be written: nobody would find this replica again
    throw error;
  } finally {
    post.stop.removeEventListener("abort", onStop);
    program.stdin?.destroy();
  }
}

/** Closing its input lets the first process send SIGTERM to the program. */
async function endLife(
  post: Post,
  stdin: { destroy(): void } | null,
  sandbox: SandboxProcesses,
): Promise<void> {
  stdin?.destroy();
  const signal = deadline(readGrace(post.folder));
  while (!signal.aborted && findProcess(sandbox.wrapper.pid) !== null) await sleep(10);
  await killSandbox(sandbox, post.order.containment);
}

function readGrace(folder: string): number {
  try {
    return Number(readFileSync(join(folder, "grace"), "utf8")) || 0;
  } catch {
    return 10_000;
  }
}
