import { canPushTo, protectionOf } from "../access.ts";
import { mergedTree, writeMergeCommit } from "../git/merge.ts";
import { moveRefs } from "../git/move-refs.ts";
import { resolveCommit } from "../git/read.ts";
import { change, isDraft, readMergeability } from "../merge-requests/rows.ts";
import { tellMergeRequest } from "../merge-requests/tell.ts";
import { flag, text } from "../params.ts";
import { methodNotAllowed, ok, refuse, unauthorized, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Project, User } from "../state.ts";
import type { MergeRequest } from "../work-rows.ts";
import { getMergeRequest, mergeRequestPath, presentMergeRequest, type Found } from "./find-merge-request.ts";

const PARAMS = {
  ...mergeRequestPath,
  merge_commit_message: text.optional(),
  squash_commit_message: text.optional(),
  should_remove_source_branch: flag.optional(),
  squash: flag.optional(),
  sha: text.optional(),
};

export const mergeRoutes: readonly Route[] = [
  route({
    method: "PUT",
    path: "/projects/:id/merge_requests/:merge_request_iid/merge",
    params: PARAMS,
    handle: (call, { merge_request_iid, ...given }) =>
      accept(call, getMergeRequest(call, merge_request_iid), given),
  }),
];

interface Given {
  readonly merge_commit_message?: string | undefined;
  readonly squash_commit_message?: string | undefined;
  readonly should_remove_source_branch?: boolean | undefined;
  readonly squash?: boolean | undefined;
  readonly sha?: string | undefined;
}

/** Merges really, in git, by a merge commit. The order of the refusals is GitLab's. */
async function accept(call: Call, found: Found, given: Given): Promise<Reply> {
  const { box } = call;
  const { project, row } = found;
  const user = call.authenticate();
  if (project.archived || !canPushTo(box.state, user, project, row.targetBranch)) throw unauthorized();
  checkOpen(row);
  if ((await readMergeability(box, project, row)).detailed !== "mergeable") throw cannotBeMerged(call);
  if (given.sha !== undefined && given.sha !== row.sha) {
    throw refuse(409, `SHA does not match HEAD of source branch: ${row.sha ?? ""}`);
  }
  const was = { ...row };
  await moveRefs(box, project, user, async (git) => {
    checkOpen(row); // again, since it is this request's turn only now
    const made = await makeCommits(call, project, row, user, given);
    await git(["update-ref", `refs/heads/${row.targetBranch}`, made.merge, made.target]);
    // Before the push of the target is announced: this merge is told once, and not as a push that brought it along.
    change(box.state, row, user, {
      state: "merged",
      mergedAt: box.state.now(),
      mergedById: user.id,
      mergeCommitSha: made.merge,
      squashCommitSha: made.squash,
    });
  });
  await tellMergeRequest(box, project, user, row, "merge", was);
  if (given.should_remove_source_branch ?? row.removeSourceBranch) await removeSource(call, found, user);
  return ok(await presentMergeRequest(call, found));
}

function checkOpen(row: MergeRequest): void {
  if (row.state !== "opened" || isDraft(row)) throw methodNotAllowed();
}

function cannotBeMerged(call: Call): Error {
  const status = call.box.version.has("mergeConflictUnprocessable") ? 422 : 406;
  return refuse(status, "Branch cannot be merged");
}

interface Made {
  readonly target: string;
  readonly merge: string;
  readonly squash: string | null;
}

async function makeCommits(
  call: Call,
  project: Project,
  row: MergeRequest,
  user: User,
  given: Given,
): Promise<Made> {
  const { repositories } = call.box;
  const author = { authorName: user.name, authorEmail: user.email };
  const source = await resolveCommit(repositories, project, `refs/heads/${row.sourceBranch}`);
  const target = await resolveCommit(repositories, project, `refs/heads/${row.targetBranch}`);
  if (source === null || target === null) throw cannotBeMerged(call);
  const tree = await mergedTree(repositories, project, target, source);
  if (tree === null) throw cannotBeMerged(call);
  const squash =
    (given.squash ?? row.squash) && row.baseSha !== null
      ? await writeMergeCommit(repositories, project, {
          tree: `${source}^{tree}`,
          parents: [row.baseSha],
          message: given.squash_commit_message || row.title,
          ...author,
        })
      : null;
  const message = given.merge_commit_message || mergeMessage(project, row);
  const parents = [target, squash ?? source];
  return {
    target,
    squash,
    merge: await writeMergeCommit(repositories, project, { tree, parents, message, ...author }),
  };
}

function mergeMessage(project: Project, row: MergeRequest): string {
  const into = `Merge branch '${row.sourceBranch}' into '${row.targetBranch}'`;
  return `${into}\n\n${row.title}\n\nSee merge request ${project.fullPath}!${row.iid}`;
}

async function removeSource(call: Call, { project, row }: Found, user: User): Promise<void> {
  const { box } = call;
  if (row.sourceBranch === project.defaultBranch || protectionOf(project, row.sourceBranch)) return;
  await moveRefs(box, project, user, async (git) => {
    await git(["update-ref", "-d", `refs/heads/${row.sourceBranch}`]);
  });
}
