import type { Box } from "../box.ts";
import { isDraft, type Mergeability } from "../merge-requests/rows.ts";
import type { Project, User } from "../state.ts";
import { mergeRequestUrl } from "../urls.ts";
import type { MergeRequest } from "../work-rows.ts";
import { userBasic } from "./entities.ts";

/** GitLab's `MergeRequestSimple`. */
export function mergeRequestSimple(box: Box, project: Project, row: MergeRequest): Record<string, unknown> {
  return {
    id: row.id,
    iid: row.iid,
    project_id: row.projectId,
    title: row.title,
    description: row.description,
    state: row.state,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
    web_url: mergeRequestUrl(box, project, row.iid),
  };
}

/** GitLab's `MergeRequestBasic`, as it stands in lists. */
export function mergeRequestBasic(
  box: Box,
  project: Project,
  row: MergeRequest,
  mergeability: Mergeability,
): Record<string, unknown> {
  const { version } = box;
  const mergedBy = personOf(box, row.mergedById);
  const draft = isDraft(row);
  return {
    ...mergeRequestSimple(box, project, row),
    merged_by: mergedBy,
    ...(version.has("mergeRequestMergeUser") ? { merge_user: mergedBy } : {}),
    merged_at: row.mergedAt,
    closed_by: personOf(box, row.closedById),
    closed_at: row.closedAt,
    target_branch: row.targetBranch,
    source_branch: row.sourceBranch,
    user_notes_count: [...box.state.notes.values()].filter((note) => note.mergeRequestId === row.id).length,
    upvotes: 0,
    downvotes: 0,
    author: personOf(box, row.authorId),
    ...peopleParts(box, row),
    source_project_id: row.projectId,
    target_project_id: row.projectId,
    labels: row.labels,
    ...(version.has("mergeRequestDraft") ? { draft } : {}),
    work_in_progress: draft,
    milestone: null,
    merge_when_pipeline_succeeds: false,
    merge_status: mergeability.mergeStatus,
    sha: row.sha,
    merge_commit_sha: row.mergeCommitSha,
    discussion_locked: row.discussionLocked,
    should_remove_source_branch: null,
    force_remove_source_branch: row.removeSourceBranch,
    squash: row.squash,
    ...laterParts(box, project, row, mergeability),
    time_stats: {
      time_estimate: 0,
      total_time_spent: 0,
      human_time_estimate: null,
      human_total_time_spent: null,
    },
  };
}

function laterParts(
  { version }: Box,
  project: Project,
  row: MergeRequest,
  mergeability: Mergeability,
): Record<string, unknown> {
  const short = `!${row.iid}`;
  return {
    ...(version.has("mergeRequestImported") ? { imported: false, imported_from: "none" } : {}),
    ...(version.has("mergeRequestDetailedStatus") ? { detailed_merge_status: mergeability.detailed } : {}),
    ...(version.has("mergeRequestMergeAfter") ? { merge_after: null } : {}),
    ...(version.has("mergeRequestPreparedAt")
      ? { prepared_at: row.createdAt, squash_on_merge: row.squash }
      : {}),
    ...(version.has("mergeRequestReferences")
      ? {
          squash_commit_sha: row.squashCommitSha,
          reference: short,
          references: { short, relative: short, full: `${project.fullPath}${short}` },
          task_completion_status: tasksIn(row.description ?? ""),
          has_conflicts: mergeability.hasConflicts,
          blocking_discussions_resolved: true,
        }
      : {}),
  };
}

function tasksIn(text: string): { readonly count: number; readonly completed_count: number } {
  const tasks = text.match(/^\s*(?:[-*+]|\d+\.)\s+\[[ xX]\]/gm) ?? [];
  return { count: tasks.length, completed_count: tasks.filter((task) => /\[[xX]\]/.test(task)).length };
}

function peopleParts(box: Box, row: MergeRequest): Record<string, unknown> {
  const people = (ids: readonly number[]): unknown[] => ids.flatMap((id) => personOf(box, id) ?? []);
  const assignees = people(row.assigneeIds);
  const { version } = box;
  return {
    ...(version.has("mergeRequestAssignees") ? { assignees } : {}),
    assignee: assignees[0] ?? null,
    ...(version.has("mergeRequestReviewers") ? { reviewers: people(row.reviewerIds) } : {}),
  };
}

function personOf(box: Box, id: number | null): Record<string, unknown> | null {
  const user: User | undefined = id === null ? undefined : box.state.users.get(id);
  return user ? userBasic(box, user) : null;
}

/** GitLab's `MergeRequest`, as a single one is told. */
export function mergeRequestEntity(
  box: Box,
  project: Project,
  row: MergeRequest,
  mergeability: Mergeability,
  more: { readonly changes: number; readonly canMerge: boolean },
): Record<string, unknown> {
  return {
    ...mergeRequestBasic(box, project, row, mergeability),
    subscribed: false,
    changes_count: String(more.changes),
    latest_build_started_at: null,
    latest_build_finished_at: null,
    first_deployed_to_production_at: null,
    pipeline: null,
    head_pipeline: null,
    diff_refs: { base_sha: row.baseSha, head_sha: row.sha, start_sha: row.startSha },
    merge_error: null,
    first_contribution: false,
    user: { can_merge: more.canMerge },
  };
}
