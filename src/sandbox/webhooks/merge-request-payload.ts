import type { Box } from "../box.ts";
import type { Commit } from "../git/read.ts";
import { isDraft, type Mergeability } from "../merge-requests/rows.ts";
import type { Project, User } from "../state.ts";
import { mergeRequestUrl } from "../urls.ts";
import type { MergeRequest } from "../work-rows.ts";
import { labelPart } from "./label-part.ts";
import type { Changes } from "./merge-request-changes.ts";
import { commitPart } from "./payload.ts";
import { hookTime, peopleOf, userPart } from "./people-part.ts";
import { projectPart, repositoryPart } from "./project-part.ts";

type Place = Pick<Box, "url" | "version" | "state">;

export type MergeRequestAction = "open" | "update" | "close" | "reopen" | "merge";

export interface MergeRequestFacts {
  readonly action: MergeRequestAction;
  readonly changes: Changes;
  /** Head before the push that caused it. */
  readonly oldrev: string | null;
  readonly lastCommit: Commit | null;
  readonly mergeability: Mergeability;
}

const STATE_ID = { opened: 1, closed: 2, merged: 3 } as const;

/** The body of a merge request hook, as GitLab's `HookDataBuilder` makes it. */
export function mergeRequestPayload(
  box: Place,
  project: Project,
  user: User,
  row: MergeRequest,
  facts: MergeRequestFacts,
): Record<string, unknown> {
  const { version, state } = box;
  const reviewers = version.has("webhookReviewers") ? peopleOf(state, row.reviewerIds) : [];
  const assignees = peopleOf(state, row.assigneeIds);
  const [assignee] = assignees;
  const several = version.has("mergeRequestAssignees");
  return {
    object_kind: "merge_request",
    ...(version.has("webhookEventType") ? { event_type: "merge_request" } : {}),
    user: userPart(box, user),
    project: projectPart(box, project),
    object_attributes: {
      ...mergeRequestAttributes(box, project, row, facts.lastCommit, facts.mergeability),
      ...(version.has("webhookSystemAction") ? { system: false } : {}),
      action: facts.action,
      ...(facts.oldrev === null ? {} : { oldrev: facts.oldrev }),
    },
    labels: row.labels.map((title) => labelPart(project, title)),
    changes: facts.changes,
    repository: repositoryPart(box, project),
    ...(several && assignees.length > 0 ? { assignees: assignees.map((one) => userPart(box, one)) } : {}),
    ...(!several && assignee ? { assignee: userPart(box, assignee) } : {}),
    ...(reviewers.length > 0 ? { reviewers: reviewers.map((one) => userPart(box, one)) } : {}),
  };
}

/** The attributes of a merge request, also inside payloads of notes. */
export function mergeRequestAttributes(
  box: Place,
  project: Project,
  row: MergeRequest,
  lastCommit: Commit | null,
  mergeability: Mergeability,
): Record<string, unknown> {
  const { version } = box;
  const [assignee] = peopleOf(box.state, row.assigneeIds);
  return {
    ...columns(row, mergeability),
    ...(version.has("mergeRequestStateId") ? { state_id: STATE_ID[row.state] } : {}),
    ...(version.has("webhookDraft") ? { draft: isDraft(row) } : {}),
    ...(version.has("mergeRequestPreparedAt") ? { prepared_at: hookTime(row.createdAt) } : {}),
    url: mergeRequestUrl(box, project, row.iid),
    source: projectPart(box, project),
    target: projectPart(box, project),
    last_commit: lastCommit === null ? null : lastCommitPart(box, project, lastCommit),
    ...(assignee && !version.has("mergeRequestAssignees") ? { assignee: userPart(box, assignee) } : {}),
    work_in_progress: isDraft(row),
    total_time_spent: 0,
    human_total_time_spent: null,
    human_time_estimate: null,
    ...laterParts(box, project, row, mergeability),
    state: row.state,
  };
}

function columns(row: MergeRequest, mergeability: Mergeability): Record<string, unknown> {
  return {
    assignee_id: row.assigneeIds[0] ?? null,
    author_id: row.authorId,
    created_at: hookTime(row.createdAt),
    description: row.description,
    head_pipeline_id: null,
    id: row.id,
    iid: row.iid,
    last_edited_at: hookTime(row.lastEditedAt),
    last_edited_by_id: row.lastEditedAt === null ? null : row.updatedById,
    merge_commit_sha: row.mergeCommitSha,
    merge_error: null,
    merge_params: { force_remove_source_branch: row.removeSourceBranch ? "1" : "0" },
    merge_status: mergeability.mergeStatus,
    merge_user_id: row.mergedById,
    merge_when_pipeline_succeeds: false,
    milestone_id: null,
    source_branch: row.sourceBranch,
    source_project_id: row.projectId,
    target_branch: row.targetBranch,
    target_project_id: row.projectId,
    time_estimate: 0,
    title: row.title,
    updated_at: hookTime(row.updatedAt),
    updated_by_id: row.updatedById,
  };
}

function laterParts(
  box: Place,
  project: Project,
  row: MergeRequest,
  mergeability: Mergeability,
): Record<string, unknown> {
  const { version } = box;
  return {
    ...(version.has("mergeRequestAssignees") ? { assignee_ids: row.assigneeIds } : {}),
    ...(version.has("webhookReviewers")
      ? {
          time_change: 0,
          human_time_change: null,
          reviewer_ids: row.reviewerIds,
          labels: row.labels.map((title) => labelPart(project, title)),
          blocking_discussions_resolved: true,
          first_contribution: false,
        }
      : {}),
    ...(version.has("mergeRequestDetailedStatus") ? { detailed_merge_status: mergeability.detailed } : {}),
    ...(version.has("webhookDraft") ? { approval_rules: [] } : {}),
  };
}

function lastCommitPart(box: Place, project: Project, commit: Commit): Record<string, unknown> {
  const { id, message, title, timestamp, url, author } = commitPart(box, project, commit, new Map());
  const email = box.version.has("webhookUserEmail") ? "[REDACTED]" : commit.authorEmail;
  return {
    id,
    message,
    ...(title === undefined ? {} : { title }),
    timestamp,
    url,
    author: { ...Object(author), email },
  };
}
