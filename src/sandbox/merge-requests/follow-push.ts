import type { Box } from "../box.ts";
import { isAncestor } from "../git/merge.ts";
import { ZEROS, type RefChange } from "../git/refs.ts";
import type { Project, User } from "../state.ts";
import type { MergeRequest } from "../work-rows.ts";
import { change, mergeRequestsOf, readDiffRefs } from "./rows.ts";
import { tellMergeRequest } from "./tell.ts";

/**
 * What a push does to open merge requests, as GitLab's `RefreshService`: one whose commits arrived on its target is merged, one whose
 * source moved has a new head, one whose source is gone is closed.
 */
export async function followPush(
  box: Box,
  project: Project,
  user: User,
  changes: readonly RefChange[],
): Promise<void> {
  for (const { ref, before, after } of changes) {
    if (!ref.startsWith("refs/heads/")) continue;
    const branch = ref.slice("refs/heads/".length);
    const open = mergeRequestsOf(box.state, project).filter((row) => row.state === "opened");
    for (const row of open) {
      if (row.targetBranch === branch && after !== ZEROS)
        await arriveAt(box, project, user, row, before, after);
      else if (row.sourceBranch === branch) await move(box, project, user, row, before, after);
    }
  }
}

async function move(
  box: Box,
  project: Project,
  user: User,
  row: MergeRequest,
  before: string,
  after: string,
): Promise<void> {
  const was = { ...row };
  if (after === ZEROS) {
    change(box.state, row, user, { state: "closed", closedAt: box.state.now(), closedById: user.id });
    return tellMergeRequest(box, project, user, row, "close", was);
  }
  change(box.state, row, user, await readDiffRefs(box, project, row));
  return tellMergeRequest(box, project, user, row, "update", was, before === ZEROS ? null : before);
}

async function arriveAt(
  box: Box,
  project: Project,
  user: User,
  row: MergeRequest,
  before: string,
  after: string,
): Promise<void> {
  if (row.sha === null || before === ZEROS || row.sha === row.baseSha) return;
  const { repositories } = box;
  const arrived =
    (await isAncestor(repositories, project, row.sha, after)) &&
    !(await isAncestor(repositories, project, row.sha, before));
  if (!arrived) return;
  const was = { ...row };
  change(box.state, row, user, { state: "merged", mergedAt: box.state.now(), mergedById: user.id });
  await tellMergeRequest(box, project, user, row, "merge", was);
}
