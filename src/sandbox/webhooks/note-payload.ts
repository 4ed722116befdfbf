import { createHash } from "node:crypto";
import type { Box } from "../box.ts";
import type { Commit } from "../git/read.ts";
import type { Mergeability } from "../merge-requests/rows.ts";
import type { Project, User } from "../state.ts";
import { mergeRequestUrl } from "../urls.ts";
import type { MergeRequest, Note } from "../work-rows.ts";
import { mergeRequestAttributes } from "./merge-request-payload.ts";
import { hookTime, userPart } from "./people-part.ts";
import { projectPart, repositoryPart } from "./project-part.ts";

export interface NoteFacts {
  readonly note: Note;
  readonly action: "create" | "update";
  readonly lastCommit: Commit | null;
  readonly mergeability: Mergeability;
}

/** The body of a note hook about a merge request. */
export function notePayload(
  box: Pick<Box, "url" | "version" | "state">,
  project: Project,
  user: User,
  row: MergeRequest,
  { note, action, lastCommit, mergeability }: NoteFacts,
): Record<string, unknown> {
  const { version } = box;
  return {
    object_kind: "note",
    ...(version.has("webhookEventType") ? { event_type: "note" } : {}),
    user: userPart(box, user),
    project_id: project.id,
    project: projectPart(box, project),
    object_attributes: {
      attachment: null,
      author_id: note.authorId,
      change_position: null,
      commit_id: null,
      created_at: hookTime(note.createdAt),
      discussion_id: createHash("sha1").update(`note ${note.id}`).digest("hex"),
      id: note.id,
      ...(version.has("webhookReviewers") ? { internal: false } : {}),
      line_code: null,
      note: note.body,
      noteable_id: row.id,
      noteable_type: "MergeRequest",
      original_position: null,
      position: null,
      project_id: project.id,
      resolved_at: null,
      resolved_by_id: null,
      resolved_by_push: null,
      st_diff: null,
      system: false,
      type: null,
      updated_at: hookTime(note.updatedAt),
      updated_by_id: note.updatedById,
      ...(version.has("webhookEventType") ? { description: note.body } : {}),
      url: `${mergeRequestUrl(box, project, row.iid)}#note_${note.id}`,
      ...(version.has("webhookReviewers") ? { action } : {}),
    },
    repository: repositoryPart(box, project),
    merge_request: mergeRequestAttributes(box, project, row, lastCommit, mergeability),
  };
}
