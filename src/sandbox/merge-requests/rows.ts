import type { Box } from "../box.ts";
import { findMergeBase } from "../git/merge-base.ts";
import { mergedTree } from "../git/merge.ts";
import { readRefs, resolveCommit } from "../git/read.ts";
import type { Project, State, User } from "../state.ts";
import type { MergeRequest } from "../work-rows.ts";

export function mergeRequestsOf(state: State, project: Project): MergeRequest[] {
  return [...state.mergeRequests.values()].filter((row) => row.projectId === project.id);
}

export function isDraft(row: Pick<MergeRequest, "title">): boolean {
  return /^\s*(\[draft\]|\(draft\)|draft:|\[wip\]|wip:)/i.test(row.title);
}

/** The one way a row is changed: who and when are written down with it. */
export function change(state: State, row: MergeRequest, user: User, changes: Partial<MergeRequest>): void {
  Object.assign(row, changes, { updatedAt: state.now(), updatedById: user.id });
}

/** What the row says about git: the source's head, and what its changes are told against. */
export async function readDiffRefs(
  box: Pick<Box, "repositories">,
  project: Project,
  row: Pick<MergeRequest, "sourceBranch" | "targetBranch">,
): Promise<Pick<MergeRequest, "sha" | "baseSha" | "startSha">> {
  const { repositories } = box;
  const sha = await resolveCommit(repositories, project, `refs/heads/${row.sourceBranch}`);
  const startSha = await resolveCommit(repositories, project, `refs/heads/${row.targetBranch}`);
  if (sha === null || startSha === null) return { sha, baseSha: null, startSha };
  return { sha, baseSha: await findMergeBase(repositories, project, [sha, startSha]), startSha };
}

export interface Mergeability {
  readonly mergeStatus: "can_be_merged" | "cannot_be_merged";
  readonly detailed: "mergeable" | "not_open" | "draft_status" | "conflict" | "commits_status";
  readonly hasConflicts: boolean;
}

/** Whether its branches merge as they are now. A list reads the refs once and hands them in. */
export async function readMergeability(
  box: Pick<Box, "repositories">,
  project: Project,
  row: MergeRequest,
  known?: ReadonlyMap<string, string>,
): Promise<Mergeability> {
  if (row.state === "merged") {
    return { mergeStatus: "can_be_merged", detailed: "not_open", hasConflicts: false };
  }
  const refs = known ?? (await readRefs(box.repositories, project));
  const source = refs.get(`refs/heads/${row.sourceBranch}`);
  const target = refs.get(`refs/heads/${row.targetBranch}`);
  const present = source !== undefined && target !== undefined;
  const fits = present && (await check(box, project, row, source, target));
  const mergeStatus = fits ? "can_be_merged" : "cannot_be_merged";
  const hasConflicts = present && !fits;
  if (row.state !== "opened") return { mergeStatus, detailed: "not_open", hasConflicts };
  if (isDraft(row)) return { mergeStatus, detailed: "draft_status", hasConflicts };
  if (!present) return { mergeStatus, detailed: "commits_status", hasConflicts };
  return { mergeStatus, detailed: fits ? "mergeable" : "conflict", hasConflicts };
}

/** The same two heads always give the same answer: git is asked once. */
async function check(
  box: Pick<Box, "repositories">,
  project: Project,
  row: MergeRequest,
  source: string,
  target: string,
): Promise<boolean> {
  if (row.checked?.source === source && row.checked.target === target) return row.checked.fits;
  const fits = (await mergedTree(box.repositories, project, target, source)) !== null;
  row.checked = { source, target, fits };
  return fits;
}
