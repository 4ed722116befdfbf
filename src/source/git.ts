import { Fault } from "../faults/fault.ts";
import { sleep } from "../kernel/clock.ts";
import { run, RunError, type RunResult } from "../kernel/run.ts";
import type { Secret } from "../kernel/secret.ts";
import { lost } from "./fence.ts";
import { gitEnvironment, settingsWords, type Places } from "./git-settings.ts";
import { GUARD_EXITS, guardedWords, type Guard } from "./guard.ts";
import { holderTag, killHolders } from "./holders.ts";
import { isGone, thisOwner } from "./owner.ts";

const OLDEST: readonly [number, number] = [2, 30];
const BUSY_POLL_MS = 40;

export interface GitTask {
  readonly args: readonly string[];
  /** A program of the machine, run in git's place under the same guard: what changes a workspace must hold its lock. */
  readonly instead?: string;
  readonly places?: Places;
  readonly guard?: Guard;
  readonly settings?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly credential?: Secret;
  readonly files?: readonly Secret[];
  readonly input?: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onLine?: (line: string) => void;
  readonly maxOutputBytes?: number;
}

/**
 * Runs one git command to its end. Throws `RunError` as it comes: the caller knows what it was for. Throws `LOST_WORKER` when the
 * workspace of its guard belongs to somebody else.
 */
export type Git = (task: GitTask) => Promise<RunResult>;

export interface GitTools {
  readonly program: string;
  readonly searchPath: string;
  /** Whether git dies with us (`setpriv --pdeathsig`) and whether locks are the kernel's (`flock`). */
  readonly setpriv: boolean;
  readonly flock: boolean;
  readonly version: string;
}

/** Looks what the machine has. Throws `RUNTIME_UNAVAILABLE` when git is missing or older than 2.30. */
export async function findGitTools(program: string, searchPath: string): Promise<GitTools> {
  const works = async (file: string, args: readonly string[]): Promise<boolean> => {
    try {
      await run(file, args, { env: { PATH: searchPath }, timeoutMs: 10_000 });
      return true;
    } catch {
      return false; // the answer: this machine has it not
    }
  };
  const [version, setpriv, flock] = await Promise.all([
    readVersion(program, searchPath),
    works("setpriv", ["--pdeathsig", "KILL", "true"]),
    works("sh", ["-c", "exec 9</dev/null && flock -n 9"]),
  ]);
  return { program, searchPath, setpriv, flock, version };
}

async function readVersion(program: string, searchPath: string): Promise<string> {
  try {
    const { stdout } = await run(program, ["version"], {
      env: gitEnvironment(searchPath, null, {}),
      timeoutMs: 10_000,
    });
    return acceptVersion(stdout);
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw unavailable("git is not installed, or does not start: install git 2.30 or newer", error);
  }
}

/** The version of `git version`'s answer. Throws `RUNTIME_UNAVAILABLE` for one that is too old. */
export function acceptVersion(answer: string): string {
  const found = /^git version ((\d+)\.(\d+)\S*)/.exec(answer);
  const [, version = answer.trim(), major = "0", minor = "0"] = found ?? [];
  const isOld = Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1]);
  if (isOld) throw unavailable(`git ${version.slice(0, 80)} is too old: install git 2.30 or newer`);
  return version;
}

function unavailable(message: string, cause?: unknown): Fault {
  return Fault.of("RUNTIME_UNAVAILABLE", "", { message, cause });
}

export function createGit(tools: GitTools): Git {
  return async (task) => {
    const guard = task.guard ?? { work: "deploy" };
    const until = Date.now() + task.timeoutMs;
    for (;;) {
      try {
        return await runOnce(tools, guard, task);
      } catch (error) {
        if (!(error instanceof RunError)) throw error;
        if (error.exitCode === GUARD_EXITS.superseded) throw lost();
        if (!freeBusyLock(error, guard) || Date.now() > until) throw error;
      }
      await sleep(BUSY_POLL_MS, task.signal);
    }
  };
}

/** True when a lock was busy: what nobody waits for any more has been killed, and it is worth another try. */
function freeBusyLock(error: RunError, guard: Guard): boolean {
  if (error.exitCode === GUARD_EXITS.workspaceBusy && guard.workspace) {
    killHolders(guard.workspace.lockFile, () => true); // the claim is ours: who works here otherwise is out of date
    return true;
  }
  if (error.exitCode === GUARD_EXITS.mirrorBusy && guard.mirror) {
    killHolders(
      guard.mirror.lockFile,
      ({ owner, work }) => (owner !== null && isGone(owner)) || (work === "fill" && guard.work === "deploy"),
    );
    return true;
  }
  return false;
}

async function runOnce(tools: GitTools, guard: Guard, task: GitTask): Promise<RunResult> {
  const command =
    task.instead === undefined
      ? [tools.program, ...settingsWords(task.settings ?? []), ...task.args]
      : [task.instead, ...task.args];
  const guarded = guardedWords(guard, command, tools.flock);
  const words = tools.setpriv ? ["setpriv", "--pdeathsig", "KILL", ...guarded] : guarded;
  const [file = tools.program, ...args] = words;
  const env = { ...holderTag(thisOwner(), guard.work), ...task.env };
  return run(file, args, {
    env: gitEnvironment(tools.searchPath, task.places ?? null, env),
    cwd: "/",
    timeoutMs: task.timeoutMs,
    signal: task.signal,
    ...(task.credential === undefined ? {} : { fd3: task.credential }),
    ...(task.files === undefined ? {} : { files: task.files }),
    ...(task.input === undefined ? {} : { input: task.input }),
    ...(task.onLine === undefined ? {} : { onLine: task.onLine }),
    ...(task.maxOutputBytes === undefined ? {} : { maxOutputBytes: task.maxOutputBytes }),
  });
}
