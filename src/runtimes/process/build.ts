import { mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { deadline, sleep } from "../../kernel/clock.ts";
import { launch, type Program } from "../../kernel/run.ts";
import { Fault } from "../../faults/fault.ts";
import type { BuildCommand, BuildRequest } from "../runtime.ts";
import { killEarlierBuilds, recordBuild } from "./build-record.ts";
import { killSandbox, type Containment, type SandboxProcesses } from "./containment.ts";
import { safeName, type Fences } from "./fences.ts";
import { splitLines } from "./lines.ts";
import { findProcess, listChildren } from "./processes.ts";
import { findUnsettable, handOverFolders, prepareSandbox, type SandboxGround } from "./sandbox.ts";
import { isInside } from "./sandbox-spec.ts";
import type { Way } from "./ways.ts";

export interface BuildContext {
  readonly ground: SandboxGround;
  readonly way: Way;
  readonly fences: Fences;
}

const TASKS = 4096;
const KEPT_LINES = 20;

/**
 * Only one build of an environment runs: this one ends all others first, and gives up with `LOST_WORKER` as soon as another has begun,
 * even when this process was stopped in between: what was started waits for a word that is only given after it was recorded and the
 * fence was looked at again.
 */
export async function buildInSandbox(context: BuildContext, request: BuildRequest): Promise<void> {
  const { ground, fences } = context;
  const unsettable = findUnsettable(request.env);
  if (unsettable !== null) throw Fault.of("BUILD_FAILED", "", { message: unsettable });
  if (!isInside(resolve(request.directory), resolve(request.workspace))) {
    throw Fault.of("BUILD_FAILED", "", { message: "the build's folder lies outside the repository" });
  }
  await fences.raise(request.fence);
  const turn = await fences.next(`build-${safeName(request.environmentId)}`);
  const environmentFolder = join(ground.folder, "builds", safeName(request.environmentId));
  await killEarlierBuilds(environmentFolder, turn.attempt);
  const folder = join(environmentFolder, String(turn.attempt));
  const signal = deadline(request.timeoutMs, request.signal);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await handOverFolders(ground, context.way, sandboxOf(request, folder));
    const checkFences = async (): Promise<void> => {
      await fences.check(turn);
      await fences.check(request.fence);
    };
    for (const command of request.commands) {
      if (signal.aborted) throw stopped(request, command);
      await runCommand(context, request, command, { folder, signal, checkFences });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function sandboxOf(request: BuildRequest, folder: string) {
  return {
    id: `build-${request.environmentId}`,
    environmentId: request.environmentId,
    launchFolder: folder,
    folder: { path: request.workspace, writable: true },
    cache: request.cache,
  };
}

interface Run {
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly checkFences: () => Promise<void>;
}

async function runCommand(
  context: BuildContext,
  request: BuildRequest,
  command: BuildCommand,
  run: Run,
): Promise<void> {
  const { wrapped, input, containment } = await prepareSandbox(context.ground, context.way, {
    ...sandboxOf(request, run.folder),
    directory: request.directory,
    readOnly: [],
    argv: command.argv,
    env: request.env,
    tasks: TASKS,
  });
  const program = launch(wrapped.file, wrapped.args, { env: {}, keepStdin: true });
  const lastLines = readOutput(program, request.onLine);
  const exit = exitOf(program);
  const processes = await findProcesses(program, containment, exit.ended);
  let killed: Promise<void> | null = null;
  const kill = async (): Promise<void> => {
    if (processes !== null) await (killed ??= killSandbox(processes, containment));
  };
  const onAbort = (): void => void kill().catch(() => {}); // awaited below
  run.signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (processes !== null) {
      await recordBuild(run.folder, processes, containment).catch(async (error: unknown) => {
        await run.checkFences(); // a newer build removes the folder of this one
        throw error;
      });
    }
    await run.checkFences();
    if (!run.signal.aborted) program.stdin?.write(input);
    else onAbort();
    await exit.promise;
  } finally {
    run.signal.removeEventListener("abort", onAbort);
    await kill();
    await closeOutput(program);
  }
  await run.checkFences();
  if (run.signal.aborted) throw stopped(request, command);
  judge(command, await exit.promise, lastLines());
}

interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The end of the program itself; its output may still be held open by something that it left behind. */
function exitOf(program: ReturnType<typeof launch>): { promise: Promise<Exit>; ended: () => boolean } {
  let ended = false;
  const promise = new Promise<Exit>((resolve) => {
    const finish = (code: number | null, signal: string | null): void => {
      ended = true;
      resolve({ code, signal });
    };
    program.channel.once("error", () => finish(127, null));
    program.channel.once("exit", finish);
  });
  return { promise, ended: () => ended };
}

async function closeOutput(program: Program): Promise<void> {
  program.stdin?.destroy();
  await Promise.race([program.ended, sleep(2_000)]);
  program.stdout?.destroy();
  program.stderr?.destroy();
}

function readOutput(program: Program, onLine: (line: string) => void): () => readonly string[] {
  const last: string[] = [];
  const emit = (line: string): void => {
    last.push(line);
    if (last.length > KEPT_LINES) last.shift();
    onLine(line);
  };
  for (const stream of [program.stdout, program.stderr]) {
    const lines = splitLines(emit);
    stream?.on("data", (chunk: Buffer) => lines.push(chunk));
    stream?.on("end", () => lines.end());
  }
  program.stdin?.on("error", () => {}); // it ended before it read: its exit says why
  return () => last;
}

/** The wrapper and, with namespaces, the first process in them, which exists a few milliseconds later. */
export async function findProcesses(
  program: Program,
  containment: Containment,
  ended: () => boolean,
): Promise<SandboxProcesses | null> {
  const wrapper = program.pid === undefined ? null : findProcess(program.pid);
  if (wrapper === null) return null;
  if (containment.kind !== "namespace") return { wrapper, first: null };
  const signal = deadline(10_000);
  while (!ended() && !signal.aborted) {
    const [first] = listChildren(wrapper.pid);
    if (first !== undefined) return { wrapper, first };
    await sleep(2);
  }
  return { wrapper, first: null };
}

function judge(command: BuildCommand, exit: Exit, lastLines: readonly string[]): void {
  if (exit.code === 0) return;
  const ending = exit.code === null ? `was killed by ${exit.signal}` : `exited with ${exit.code}`;
  throw Fault.of("BUILD_FAILED", "", {
    message: `${command.name}: ${ending}`,
    evidence: {
      command: command.name,
      exitCode: exit.code ?? undefined,
      signal: exit.signal ?? undefined,
      words: lastLines.join("\n").slice(-2048),
    },
  });
}

function stopped(request: BuildRequest, command: BuildCommand): Fault {
  const { reason }: { reason: unknown } = request.signal;
  if (request.signal.aborted) {
    return reason instanceof Fault ? reason : Fault.of("CANCELLED", "", { cause: reason });
  }
  return Fault.of("BUILD_TIMEOUT", "", {
    message: `${command.name}: the build took longer than ${Math.round(request.timeoutMs / 1000)} s`,
    evidence: { command: command.name, timeoutMs: request.timeoutMs },
  });
}
