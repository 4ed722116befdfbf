import { Fault } from "../../faults/fault.ts";
import { deadline, sleep } from "../../kernel/clock.ts";
import { waitUntil } from "../../kernel/retry.ts";
import { run } from "../../kernel/run.ts";
import {
  findAll,
  findProcess,
  findUid,
  isAlive,
  listChildren,
  signalProcess,
  startedWith,
  type ProcessRef,
  type ProcessStat,
} from "./processes.ts";

/**
 * What makes sure that everything of a sandbox is dead.
 * `namespace`: the kernel kills all of a pid namespace with its first process. `user`: all processes of a user that nobody else is.
 * `marker`: whatever was started with a word in its environment or belongs to the session: a hostile program can leave it.
 */
export type Containment =
  | { readonly kind: "namespace" }
  | { readonly kind: "user"; readonly uid: number; readonly setpriv: string; readonly sh: string }
  | { readonly kind: "marker"; readonly word: string };

export interface SandboxProcesses {
  /** What was started: the wrapper; in the ways without namespaces the first process itself. */
  readonly wrapper: ProcessRef;
  /** The first process of the namespace; null before it is known, and in the ways without namespaces. */
  readonly first: ProcessRef | null;
}

const BIRTH_MS = 10_000;
const DEATH_MS = 10_000;

/** The processes of a sandbox that was just started; its namespace's first one exists some milliseconds later. Null when it has ended. */
export async function findSandbox(
  pid: number | undefined,
  containment: Containment,
): Promise<SandboxProcesses | null> {
  const wrapper = pid === undefined ? null : findProcess(pid);
  if (wrapper === null) return null;
  if (containment.kind !== "namespace") return { wrapper, first: null };
  const signal = deadline(BIRTH_MS);
  while (isAlive(wrapper) && !signal.aborted) {
    const [first] = listChildren(wrapper.pid);
    if (first !== undefined) return { wrapper, first };
    await sleep(2);
  }
  return { wrapper, first: null };
}

/** Kills everything of a sandbox and returns when nothing of it lives. Throws `RUNTIME_UNAVAILABLE` when something still does after 10 s. */
export async function killSandbox(processes: SandboxProcesses, containment: Containment): Promise<void> {
  try {
    await killAll(processes, containment);
  } catch (error) {
    throw Fault.of("RUNTIME_UNAVAILABLE", "", {
      message: "a process of a sandbox could not be killed",
      cause: error,
      retryable: true,
    });
  }
}

async function killAll(processes: SandboxProcesses, containment: Containment): Promise<void> {
  const signal = deadline(DEATH_MS);
  if (containment.kind === "namespace") {
    const firsts =
      processes.first === null
        ? isAlive(processes.wrapper)
          ? listChildren(processes.wrapper.pid)
          : []
        : [processes.first];
    await killAndWait(firsts, signal);
    await killAndWait([processes.wrapper], signal);
    return;
  }
  const members = new Map<number, ProcessRef>();
  await waitUntil(
    async () => {
      const found = await listMembers(processes, containment);
      for (const ref of found) members.set(ref.pid, ref);
      if (containment.kind === "user" && found.length > 0) await killUser(containment);
      for (const ref of found) signalProcess(ref, "SIGKILL");
      return found.length === 0 && [...members.values()].every((ref) => !isAlive(ref));
    },
    { everyMs: 10, signal },
  );
}

async function killAndWait(refs: readonly ProcessRef[], signal: AbortSignal): Promise<void> {
  for (const ref of refs) signalProcess(ref, "SIGKILL");
  await waitUntil(() => refs.every((ref) => !isAlive(ref)), { everyMs: 5, signal });
}

/** One call of the kernel for all of the user's processes: a program that forks as fast as it can does not get away. */
async function killUser(containment: Containment & { kind: "user" }): Promise<void> {
  const { uid, setpriv, sh } = containment;
  const words = [`--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--", sh, "-c", "kill -KILL -1"];
  await run(setpriv, words, { env: {}, timeoutMs: DEATH_MS }).catch(() => {}); // it kills itself too
}

async function listMembers(
  processes: SandboxProcesses,
  containment: Exclude<Containment, { kind: "namespace" }>,
): Promise<readonly ProcessRef[]> {
  const { wrapper } = processes;
  const alive = isAlive(wrapper);
  const belongs = (stat: ProcessStat): boolean =>
    containment.kind === "user"
      ? findUid(stat.pid) === containment.uid
      : (alive && (stat.session === wrapper.pid || stat.parent === wrapper.pid)) ||
        startedWith(stat.pid, containment.word);
  const found = findAll(belongs);
  return alive && !found.some((ref) => ref.pid === wrapper.pid) ? [...found, wrapper] : found;
}
