import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { closeSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { openSecretFile } from "./secret-file.ts";
import type { Secret } from "./secret.ts";

/**
 * The only place that starts programs. A command is a file and a list of words, never a shell string; the environment is
 * exactly what is given (nothing is inherited); secrets go in through a pipe, never through words or environment.
 */
export interface ProgramOptions {
  /** The child's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Aborting kills the child's whole process group with SIGKILL. What left the group lives on, but is not waited for. */
  readonly signal?: AbortSignal;
  readonly uid?: number;
  readonly gid?: number;
  /** Written to the child's standard input, which is then closed. Without it the input is empty. */
  readonly input?: string | Uint8Array | Secret;
  /** Written to the child's file descriptor 3, which is then closed: how a credential helper gets its secret. */
  readonly fd3?: Secret;
  /** Each a file without a name that the child may open as often as it likes, as `/proc/self/fd/4`, `5` and so on. */
  readonly files?: readonly Secret[];
  /** Called for each line as it comes, without its line end; very long lines are cut into pieces of 64 KiB. */
  readonly onLine?: (line: string, stream: "stdout" | "stderr") => void;
}

export interface RunOptions extends ProgramOptions {
  /** Milliseconds before the child's process group is killed. */
  readonly timeoutMs: number;
  /** Bytes of stdout and of stderr that are kept; more is dropped from the front of stderr and refused for stdout. Default 1 MiB. */
  readonly maxOutputBytes?: number;
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
}

type RunFailure = "not_found" | "exit" | "signal" | "timeout" | "aborted" | "output_limit";

/** A program that did not end well. Facts only: no environment, no input, no words, because words may hold user data. */
export class RunError extends Error {
  override readonly name = "RunError";
  readonly failure: RunFailure;
  readonly program: string;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;

  constructor(
    failure: RunFailure,
    program: string,
    facts: Partial<Pick<RunError, "exitCode" | "signal" | "stdout" | "stderr">> = {},
  ) {
    super(`${program}: ${describe(failure, facts)}`);
    this.failure = failure;
    this.program = program;
    this.exitCode = facts.exitCode ?? null;
    this.signal = facts.signal ?? null;
    this.stdout = facts.stdout ?? "";
    this.stderr = facts.stderr ?? "";
  }
}

function describe(failure: RunFailure, facts: Partial<Pick<RunError, "exitCode" | "signal">>): string {
  switch (failure) {
    case "not_found":
      return "no such program";
    case "exit":
      return `exited with ${facts.exitCode}`;
    case "signal":
      return `was killed by ${facts.signal}`;
    case "timeout":
      return "took too long and was killed";
    case "aborted":
      return "was stopped";
    case "output_limit":
      return "wrote more output than allowed";
  }
}

/** Runs a program to its end. Throws `RunError` unless it exits with 0. Never throws anything that holds its words. */
export async function run(file: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  const limit = options.maxOutputBytes ?? 1024 * 1024;
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const overflow = new AbortController();
  const signals = [timeout, overflow.signal, ...(options.signal ? [options.signal] : [])];
  const child = launch(file, args, { ...options, signal: AbortSignal.any(signals) });
  const stdout = collect(child.stdout, options, "stdout", limit, () => overflow.abort());
  const stderr = collect(child.stderr, options, "stderr", limit);
  const end = await child.ended;
  const facts = { ...end, stdout: stdout(), stderr: stderr() };
  if (end.spawnError) throw new RunError("not_found", file, facts);
  if (overflow.signal.aborted) throw new RunError("output_limit", file, facts);
  if (options.signal?.aborted) throw new RunError("aborted", file, facts);
  if (end.exitCode === 0) return { stdout: facts.stdout, stderr: facts.stderr };
  if (timeout.aborted) throw new RunError("timeout", file, facts);
  throw new RunError(end.signal ? "signal" : "exit", file, facts);
}

export interface Program {
  readonly pid: number | undefined;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Resolves when the program has ended and its output is closed. Never rejects. */
  readonly ended: Promise<ProgramEnd>;
  /** Sends a signal to the program's whole process group; false when it is gone. */
  kill(signal?: NodeJS.Signals): boolean;
}

export interface ProgramEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly spawnError: Error | null;
}

export interface LaunchOptions extends ProgramOptions {
  /** `pipe` (default) reads the output; a number is an open file descriptor; `ignore` drops it. */
  readonly output?: "pipe" | "ignore" | { readonly stdout: number; readonly stderr: number };
  /** Leaves stdin open for the caller to write and end. */
  readonly keepStdin?: boolean;
  /** The child outlives this process: it leads a session of its own and is not waited for at exit. */
  readonly detached?: boolean;
  /** Opens a message channel (`process.send`) between parent and child. */
  readonly ipc?: boolean;
}

/** Starts a program in a process group of its own and returns at once. */
export function launch(
  file: string,
  args: readonly string[],
  options: LaunchOptions,
): Program & { readonly channel: ChildProcess } {
  const files = (options.files ?? []).map(openSecretFile);
  const child = spawnWith(file, args, options, files);
  const kill = (signal: NodeJS.Signals = "SIGTERM"): boolean => killGroup(child.pid, signal);
  const stop = (): void => {
    kill("SIGKILL");
    setTimeout(() => closeOutput(child), LEFT_OPEN_MS).unref();
  };
  if (options.signal?.aborted) stop();
  options.signal?.addEventListener("abort", stop, { once: true });
  feed(child, options);
  if (options.detached) child.unref();
  const ended = new Promise<ProgramEnd>((resolve) => {
    child.once("error", (error) =>
      resolve({ exitCode: null, signal: null, spawnError: withoutWords(error) }),
    );
    child.once("close", (exitCode, signal) => resolve({ exitCode, signal, spawnError: null }));
  }).finally(() => options.signal?.removeEventListener("abort", stop));
  return {
    pid: child.pid,
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    ended,
    kill,
    channel: child,
  };
}

/** The child has descriptors of its own as soon as it is spawned: ours are closed. */
function spawnWith(
  file: string,
  args: readonly string[],
  options: LaunchOptions,
  files: readonly number[],
): ChildProcess {
  try {
    return spawn(file, [...args], {
      env: { ...options.env },
      stdio: stdioOf(options, files),
      detached: true,
      shell: false,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    });
  } finally {
    for (const descriptor of files) closeSync(descriptor);
  }
}

/** What has left the process group lives on and may hold the output open for ever: after this time nobody waits for it. */
const LEFT_OPEN_MS = 500;

function closeOutput({ stdout, stderr }: ChildProcess): void {
  stdout?.destroy();
  stderr?.destroy();
}

function stdioOf(options: LaunchOptions, files: readonly number[]): StdioOptions {
  const output = options.output ?? "pipe";
  const [out, err] = typeof output === "string" ? [output, output] : [output.stdout, output.stderr];
  const input = options.keepStdin || options.input !== undefined ? "pipe" : "ignore";
  const extra: ("pipe" | "ipc" | "ignore" | number)[] = [];
  if (options.fd3 !== undefined) extra.push("pipe");
  else if (files.length > 0) extra.push("ignore");
  extra.push(...files);
  if (options.ipc) extra.push("ipc");
  return [input, out, err, ...extra];
}

function feed(child: ChildProcess, options: LaunchOptions): void {
  const ignore = (): void => {}; // a child may end before it has read everything: EPIPE says nothing new
  if (options.input !== undefined && child.stdin) {
    child.stdin.on("error", ignore);
    child.stdin.end(isSecret(options.input) ? options.input.reveal() : options.input);
  }
  const fd3 = child.stdio[3];
  if (options.fd3 !== undefined && fd3 && "end" in fd3) {
    fd3.on("error", ignore);
    fd3.end(options.fd3.reveal());
  }
}

function isSecret(input: string | Uint8Array | Secret): input is Secret {
  return typeof input !== "string" && !(input instanceof Uint8Array);
}

/** Sends `signal` to a process group; false when there is none. */
export function killGroup(pid: number | undefined, signal: NodeJS.Signals): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}

/** Node puts all words into `spawnargs` of a spawn error: they must not reach a log. */
function withoutWords(error: Error): Error {
  const code = "code" in error ? String(error.code) : "unknown";
  return new Error(`could not start: ${code}`);
}

const PIECE = 64 * 1024;

function collect(
  stream: Readable | null,
  options: RunOptions,
  name: "stdout" | "stderr",
  limit: number,
  onOverflow?: () => void,
): () => string {
  let kept = "";
  let partial = "";
  const decoder = new StringDecoder("utf8");
  const take = (text: string): void => {
    kept += text;
    if (kept.length > limit) {
      kept = name === "stdout" ? kept.slice(0, limit) : kept.slice(-limit);
      onOverflow?.();
    }
    if (options.onLine) partial = emitLines(partial + text, (line) => options.onLine?.(line, name));
  };
  stream?.on("data", (chunk: Buffer) => take(decoder.write(chunk)));
  stream?.on("end", () => {
    take(decoder.end());
    if (partial !== "") options.onLine?.(partial, name);
  });
  return () => kept;
}

function emitLines(text: string, emit: (line: string) => void): string {
  const lines = text.split("\n");
  let rest = lines.pop() ?? "";
  for (const line of lines) emit(line.endsWith("\r") ? line.slice(0, -1) : line);
  while (rest.length > PIECE) {
    emit(rest.slice(0, PIECE));
    rest = rest.slice(PIECE);
  }
  return rest;
}
