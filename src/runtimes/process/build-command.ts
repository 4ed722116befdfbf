import { sleep } from "../../kernel/clock.ts";
import { launch, type Program } from "../../kernel/run.ts";
import { Fault } from "../../faults/fault.ts";
import type { BuildCommand, BuildRequest } from "../runtime.ts";
import { recordBuild } from "./build-record.ts";
import { findSandbox, killSandbox } from "./containment.ts";
import type { Fences } from "./fences.ts";
import { splitLines } from "./lines.ts";
import type { SandboxGround } from "./sandbox-request.ts";
import { prepareSandbox } from "./sandbox.ts";
import type { Way } from "./ways.ts";

export interface BuildContext {
  readonly ground: SandboxGround;
  readonly way: Way;
  readonly fences: Fences;
}

const TASKS = 4096;
const KEPT_LINES = 20;

/** What all commands of a build have in common. */
export function sandboxOf(request: BuildRequest, folder: string) {
  return {
    id: `build-${request.environmentId}`,
    environmentId: request.environmentId,
    launchFolder: folder,
    folder: { path: request.workspace, writable: true },
    cache: request.cache,
  };
}

interface Run {
  /** The build's own, removed with it. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly checkFences: () => Promise<void>;
}

/**
 * One command to its end; nothing of it lives when this returns or throws. Throws `BUILD_FAILED`, `BUILD_TIMEOUT`, `CANCELLED`,
 * `LOST_WORKER`, `RUNTIME_UNAVAILABLE`, or the Fault that the signal was aborted with.
 */
export async function runCommand(
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
  const processes = await findSandbox(program.pid, containment);
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
    await exit;
  } finally {
    run.signal.removeEventListener("abort", onAbort);
    await kill();
    await closeOutput(program);
  }
  await run.checkFences();
  if (run.signal.aborted) throw stopped(request, command);
  judge(command, await exit, lastLines());
}

interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The end of the program itself; its output may still be held open by something that it left behind. */
async function exitOf(program: ReturnType<typeof launch>): Promise<Exit> {
  return new Promise((resolve) => {
    program.channel.once("error", () => resolve({ code: 127, signal: null }));
    program.channel.once("exit", (code, signal) => resolve({ code, signal }));
  });
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

/** Why a build ended before its time. */
export function stopped(request: BuildRequest, command: BuildCommand): Fault {
  const { reason }: { reason: unknown } = request.signal;
  if (request.signal.aborted) {
    return reason instanceof Fault ? reason : Fault.of("CANCELLED", "", { cause: reason });
  }
  return Fault.of("BUILD_TIMEOUT", "", {
    message: `${command.name}: the build took longer than ${Math.round(request.timeoutMs / 1000)} s`,
    evidence: { command: command.name, timeoutMs: request.timeoutMs },
  });
}
