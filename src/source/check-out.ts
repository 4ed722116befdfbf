import { redactor } from "../kernel/redact.ts";
import { RunError } from "../kernel/run.ts";
import { isDamage, isDamagedIndex, isDamagedStore } from "./classify.ts";
import { explain } from "./explain.ts";
import { lost, takeWorkspace, type Hold } from "./fence.ts";
import type { Guard } from "./guard.ts";
import { commitMissing, type Mirror } from "./mirror.ts";
import { mirrorName, type SourceParts } from "./parts.ts";
import { checkRemote, parseCommitId, type CheckedRemote } from "./remote.ts";
import type { CheckedOut, CheckoutRequest } from "./source.ts";
import { createVoice } from "./voice.ts";
import { bringTreeTo, emptyWorkspace, indexFile, type WorkspaceOptions } from "./workspace.ts";
import { secretsOfRemote } from "./way-settings.ts";

/** A damaged index or mirror is thrown away and made anew, each once; whatever fails after that has another reason. */
const TRIES = 3;

/** One checkout, with what its steps need. */
interface Task {
  readonly parts: SourceParts;
  readonly request: CheckoutRequest;
  readonly commit: string;
  readonly remote: CheckedRemote;
  readonly mirror: Mirror;
  readonly tree: WorkspaceOptions;
  readonly hold: Hold;
  readonly redact: (text: string) => string;
}

/** `Source.checkOut`: takes the workspace, has the commit in the mirror, makes the tree equal to it. */
export async function checkOut(parts: SourceParts, request: CheckoutRequest): Promise<CheckedOut> {
  const commit = parseCommitId(request.commit);
  const remote = await checkRemote(request.remote, parts.caFolder);
  const redact = redactor(secretsOfRemote(request.remote));
  let hold: Hold | null = null;
  try {
    await using held = await takeWorkspace(parts.stateOf(request.workspace), request.fence, request.signal);
    hold = held;
    const mirror = parts.mirrorOf(request.remote.key);
    const tree = treeOptions(parts, request, mirror, held, redact);
    return await withRepairs({ parts, request, commit, remote, mirror, tree, hold, redact });
  } catch (error) {
    if (hold !== null && (await hold.isLost())) throw lost();
    throw await explain(error, remote, redact, request.signal);
  }
}

function treeOptions(
  parts: SourceParts,
  request: CheckoutRequest,
  mirror: Mirror,
  hold: Hold,
  redact: (text: string) => string,
): WorkspaceOptions {
  const state = parts.stateOf(request.workspace);
  const { lockFile, claimFile, successor } = hold;
  const guard: Guard = {
    work: "deploy",
    workspace: { lockFile, claimFile, successor, index: indexFile(state) },
  };
  const onLine = createVoice(request.onLine, redact);
  return {
    git: parts.git,
    folder: request.workspace,
    state,
    claim: hold.number,
    mirror: mirror.folder,
    guard,
    signal: request.signal,
    onLine,
  };
}

async function withRepairs(task: Task): Promise<CheckedOut> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await bring(task);
    } catch (error) {
      const isRepairable = error instanceof RunError && isDamage(error) && !task.request.signal.aborted;
      // a successor kills our git, which looks like damage
      if (!isRepairable || attempt === TRIES || (await task.hold.isLost())) throw error;
      await repair(task, error, attempt);
    }
  }
}

async function bring(task: Task): Promise<CheckedOut> {
  const { mirror, commit, request } = task;
  const present = await mirror.describe(commit, request.signal);
  const about = present ?? (await fetchMissing(task));
  await bringTreeTo(commit, task.tree);
  return about;
}

async function fetchMissing(task: Task): Promise<CheckedOut> {
  const { mirror, commit, remote, request } = task;
  return task.parts.turns(mirrorName(request.remote.key), "deploy", request.signal, async (_, waited) => {
    const fetchedMeanwhile = waited ? await mirror.describe(commit, request.signal) : null;
    if (fetchedMeanwhile) return fetchedMeanwhile;
    request.onLine(`Fetching ${commit.slice(0, 12)} from ${remote.url.href}`);
    await fetchOnce(task);
    const about = await mirror.describe(commit, request.signal);
    if (!about) throw commitMissing(commit, remote.url.host);
    return about;
  });
}

/** What the network or GitLab did is a Fault from here on; what our disk did stays a `RunError`, which is repaired. */
async function fetchOnce(task: Task): Promise<void> {
  const { guard, onLine, signal } = task.tree;
  try {
    await task.mirror.fetch(task.commit, { remote: task.remote, guard, signal, onLine });
  } catch (error) {
    const isOurs = error instanceof RunError && isDamagedStore(error.stderr);
    throw isOurs ? error : await explain(error, task.remote, task.redact, signal);
  }
}

async function repair(task: Task, error: RunError, attempt: number): Promise<void> {
  const { parts, mirror, tree, request } = task;
  const words = task.redact(error.stderr).slice(-500);
  const isIndex = isDamagedIndex(error.stderr);
  parts.log?.warn(
    { mirror: request.remote.key, words },
    isIndex ? "The index of a workspace is damaged and made anew" : "A mirror is damaged and fetched anew",
  );
  if (isIndex || attempt > 1) await emptyWorkspace(tree);
  if (isIndex && attempt === 1) return;
  await parts.turns(mirrorName(request.remote.key), "deploy", request.signal, () => mirror.discard());
}
