import type { Box } from "../box.ts";
import { readChangedPaths } from "../git/changed-paths.ts";
import { countCommits, readCommits, resolveCommit, type Commit } from "../git/read.ts";
import { ZEROS, type RefChange } from "../git/refs.ts";
import { followPush } from "../merge-requests/follow-push.ts";
import type { Hook, HookEvent, Project, User } from "../state.ts";
import { filterAdmits } from "./branch-filter.ts";
import { pushPayload, type PushFacts } from "./payload.ts";

/** GitLab lists at most this many commits in a payload; the count next to them is the true one. */
const COMMITS_IN_PAYLOAD = 20;

/** Tells a project's hooks and its merge requests of a push. Returns when the payloads are made; they are sent in the background. */
export async function announce(
  box: Box,
  project: Project,
  user: User,
  changes: readonly RefChange[],
  pushOptions: readonly string[],
): Promise<void> {
  if (changes.length === 0) return;
  project.lastActivityAt = box.state.now();
  const hooks = [...box.state.hooks.values()].filter((hook) => hook.projectId === project.id);
  for (const [prefix, event] of KINDS) {
    const concerned = changes.filter((change) => change.ref.startsWith(prefix));
    // The limit counts creations, updates and removals apart: GitLab groups a push by kind and action.
    for (const group of Object.values(Object.groupBy(concerned, actionOf))) {
      if (!group || group.length > box.state.settings.pushEventHooksLimit) continue;
      for (const change of group) await tell(box, project, user, { change, event, pushOptions }, hooks);
    }
  }
  await followPush(box, project, user, changes);
}

const KINDS: readonly (readonly [string, HookEvent])[] = [
  ["refs/heads/", "push_events"],
  ["refs/tags/", "tag_push_events"],
];

function actionOf(change: RefChange): string {
  if (change.before === ZEROS) return "created";
  return change.after === ZEROS ? "removed" : "pushed";
}

interface Told {
  readonly change: RefChange;
  readonly event: HookEvent;
  readonly pushOptions: readonly string[];
}

async function tell(
  box: Box,
  project: Project,
  user: User,
  { change, event, pushOptions }: Told,
  hooks: readonly Hook[],
): Promise<void> {
  const branch = change.ref.slice("refs/heads/".length);
  const wanting = hooks.filter(
    (hook) => hook.events.has(event) && (event !== "push_events" || filterAdmits(hook, branch)),
  );
  if (wanting.length === 0) return;
  const facts = await factsOf(box, project, change);
  const payload = pushPayload(box, project, user, { ...facts, pushOptions });
  const trigger = event === "push_events" ? "push_hooks" : "tag_push_hooks";
  for (const hook of wanting) box.webhooks.send(hook, trigger, payload);
}

/** Reads what a payload says about one changed ref. `chosen` are commits to list instead of those of the push. */
export async function factsOf(
  box: Box,
  project: Project,
  change: RefChange,
  chosen?: readonly Commit[],
): Promise<PushFacts> {
  const { repositories } = box;
  if (change.after === ZEROS) {
    return {
      change,
      commits: [],
      changedPaths: new Map(),
      totalCommits: 0,
      checkoutSha: null,
      message: null,
      pushOptions: [],
    };
  }
  const isTag = change.ref.startsWith("refs/tags/");
  const range = rangeOf(project, change);
  const commits =
    chosen ?? (await readCommits(repositories, project, [`--max-count=${COMMITS_IN_PAYLOAD}`, ...range]));
  const ids = commits.map((commit) => commit.id);
  return {
    change,
    commits: commits.toReversed(),
    changedPaths: await readChangedPaths(repositories, project, ids),
    totalCommits: chosen || isTag ? commits.length : await countCommits(repositories, project, range),
    checkoutSha: await resolveCommit(repositories, project, change.after),
    message: isTag ? await tagMessage(box, project, change.after) : null,
    pushOptions: [],
  };
}

/** A new branch lists what the default branch does not have; the default branch itself lists its newest commits. */
function rangeOf(project: Project, change: RefChange): string[] {
  if (change.ref.startsWith("refs/tags/")) return ["--max-count=1", change.after];
  if (change.before !== ZEROS) return [`${change.before}..${change.after}`];
  const home = `refs/heads/${project.defaultBranch}`;
  return change.ref === home ? [change.after] : [change.after, `^${home}`];
}

/** The message of an annotated tag; null for a light one. */
async function tagMessage(box: Box, project: Project, id: string): Promise<string | null> {
  const type = (await box.repositories.git(project, ["cat-file", "-t", id])).trim();
  if (type !== "tag") return null;
  const text = await box.repositories.git(project, ["cat-file", "tag", id]);
  const body = text.slice(text.indexOf("\n\n") + 2);
  return body.split("-----BEGIN")[0]?.trimEnd() ?? "";
}
