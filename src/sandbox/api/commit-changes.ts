import { canPushTo } from "../access.ts";
import { playActions, type FileAction } from "../git/actions.ts";
import { moveRefs } from "../git/move-refs.ts";
import { isBarred, readCommits, readRefs, readTree, resolveCommit } from "../git/read.ts";
import { BARRED } from "../git/ref-rules.ts";
import { writeCommit } from "../git/write.ts";
import { isBranchName } from "../names.ts";
import { forbidden, refuse } from "../reply.ts";
import type { Call } from "../route.ts";
import type { Project, User } from "../state.ts";

export interface Changes {
  readonly branch: string;
  readonly commit_message: string;
  readonly start_branch?: string | undefined;
  readonly start_sha?: string | undefined;
  readonly author_name?: string | undefined;
  readonly author_email?: string | undefined;
  readonly force?: boolean | undefined;
  /** The newest commit of each file that the client knows: another one refuses the whole. */
  readonly lastCommits: readonly { readonly path: string; readonly id: string }[];
  readonly actions: readonly FileAction[];
}

const STALE = "You are attempting to update a file that has changed since you started editing it.";

/** Gitaly's error as `Commits::CreateService` hands it on (its words inferred). */
const FULL_DISK = "13:write blob: fatal: write error: No space left on device";

/** Throws 403 unless the user may push to the branch: GitLab asks this before anything about the commit. */
export function authorizePush(call: Call, project: Project, branch: string): User {
  const user = call.authenticate();
  const { archived, repositoryEnabled } = project;
  if (archived || !repositoryEnabled || !canPushTo(call.box.state, user, project, branch)) {
    throw forbidden("You are not allowed to push into this branch");
  }
  return user;
}

/** One commit through the API (`Files::MultiService`). Throws refusals; the hooks are told as of a push. */
export async function commitChanges(call: Call, project: Project, changes: Changes): Promise<void> {
  const { repositories, state } = call.box;
  const user = authorizePush(call, project, changes.branch);
  await moveRefs(call.box, project, user, async () => {
    const parent = await findParent(call, project, changes);
    await checkBranch(call, project, changes);
    await refuseStale(call, project, parent, changes);
    if (state.faults.git.diskFull) throw refuse(400, FULL_DISK);
    const entries = parent === null ? [] : await readTree(repositories, project, parent, "", true);
    await writeCommit(repositories, project, {
      branch: changes.branch,
      parent,
      message: changes.commit_message,
      authorName: changes.author_name ?? user.name,
      authorEmail: changes.author_email ?? user.email,
      committer: { name: user.name, email: user.email },
      at: state.clock.now(),
      changes: playActions(entries ?? [], changes.actions),
      force: changes.force ?? false,
    });
  });
}

async function findParent(call: Call, project: Project, changes: Changes): Promise<string | null> {
  const { repositories } = call.box;
  const { start_sha: sha } = changes;
  if (sha !== undefined) {
    if (!/^[0-9a-f]{40}$/.test(sha)) throw refuse(400, `Invalid start_sha '${sha}'`);
    if ((await resolveCommit(repositories, project, sha)) === null) {
      throw refuse(400, `Cannot find start_sha '${sha}'`);
    }
    return sha;
  }
  const start = changes.start_branch ?? changes.branch;
  const parent = isBranchName(start)
    ? await resolveCommit(repositories, project, `refs/heads/${start}`)
    : null;
  if (parent === null && !project.emptyRepo) {
    throw refuse(400, "You can only create or edit files when you are on a branch");
  }
  return parent;
}

async function checkBranch(call: Call, project: Project, changes: Changes): Promise<void> {
  const { branch, start_branch: startBranch = branch, start_sha: startSha, force = false } = changes;
  const isNew = startBranch !== branch || startSha !== undefined;
  if (!isBranchName(branch)) {
    throw refuse(
      400,
      `Something went wrong when we tried to create '${branch}' for you: Branch name is invalid`,
    );
  }
  const refs = await readRefs(call.box.repositories, project);
  if (isBarred(refs, `refs/heads/${branch}`)) {
    throw refuse(400, `Something went wrong when we tried to create '${branch}' for you: ${BARRED}`);
  }
  if (!isNew || project.emptyRepo || force) return;
  if (refs.has(`refs/heads/${branch}`)) {
    throw refuse(
      400,
      `A branch called '${branch}' already exists. Switch to that branch in order to make changes`,
    );
  }
}

async function refuseStale(
  call: Call,
  project: Project,
  parent: string | null,
  { lastCommits }: Changes,
): Promise<void> {
  if (parent === null) return;
  for (const { path, id } of lastCommits) {
    const words = ["--max-count=1", parent];
    const [last] = await readCommits(call.box.repositories, project, words, [path]);
    if (last?.id !== id) throw refuse(400, STALE);
  }
}
