import type { Box } from "../box.ts";
import { isDraft } from "../merge-requests/rows.ts";
import type { Project } from "../state.ts";
import type { MergeRequest } from "../work-rows.ts";
import { labelPart } from "./label-part.ts";
import { hookTime, peopleOf, userPart } from "./people-part.ts";

export type Changes = Readonly<Record<string, { readonly previous: unknown; readonly current: unknown }>>;

const STATE_ID = { opened: 1, closed: 2, merged: 3 } as const;

/** `changes` of a merge request hook: only what differs, by GitLab's names. */
export function changesBetween(
  box: Pick<Box, "state" | "version">,
  project: Project,
  before: MergeRequest,
  after: MergeRequest,
): Changes {
  const then = told(box, project, before);
  const now = told(box, project, after);
  return Object.fromEntries(
    Object.keys(now)
      .filter((name) => JSON.stringify(then[name]) !== JSON.stringify(now[name]))
      .map((name) => [name, { previous: then[name], current: now[name] }]),
  );
}

function told(
  box: Pick<Box, "state" | "version">,
  project: Project,
  row: MergeRequest,
): Record<string, unknown> {
  const { state, version } = box;
  const people = (ids: readonly number[]): unknown[] =>
    peopleOf(state, ids).map((user) => userPart(box, user));
  const stateOf = version.has("mergeRequestStateId")
    ? { state_id: STATE_ID[row.state] }
    : { state: row.state };
  return {
    title: row.title,
    description: row.description,
    target_branch: row.targetBranch,
    ...stateOf,
    merge_commit_sha: row.mergeCommitSha,
    last_edited_at: hookTime(row.lastEditedAt),
    ...(version.has("webhookDraft") ? { draft: isDraft(row) } : {}),
    updated_at: hookTime(row.updatedAt),
    updated_by_id: row.updatedById,
    labels: row.labels.map((title) => labelPart(project, title)),
    ...(version.has("mergeRequestAssignees")
      ? { assignees: people(row.assigneeIds) }
      : { assignee: people(row.assigneeIds)[0] ?? null }),
    ...(version.has("webhookReviewers") ? { reviewers: people(row.reviewerIds) } : {}),
  };
}
