import type { Box } from "../box.ts";
import { gravatar } from "../webhooks/people-part.ts";
import type { MergeRequest, Note } from "../work-rows.ts";
import { userBasic } from "./entities.ts";

/** GitLab's `Note`. Its schema wants a picture of the author. */
export function noteEntity(box: Box, row: MergeRequest, note: Note): Record<string, unknown> {
  const { version } = box;
  const author = box.state.users.get(note.authorId);
  return {
    id: note.id,
    type: null,
    body: note.body,
    ...(version.has("mergeRequestImported") ? {} : { attachment: null }),
    author: author ? { ...userBasic(box, author), avatar_url: gravatar(author) } : null,
    created_at: note.createdAt,
    updated_at: note.updatedAt,
    system: false,
    noteable_id: row.id,
    noteable_type: "MergeRequest",
    ...(version.has("noteTargetByClass") ? { project_id: note.projectId } : {}),
    resolvable: false,
    ...(version.has("mergeRequestReviewers") ? { confidential: false } : {}),
    ...(version.has("noteTargetByClass") ? { internal: false } : {}),
    ...(version.has("mergeRequestImported") ? { imported: false, imported_from: "none" } : {}),
    noteable_iid: row.iid,
    ...(version.has("mergeRequestAssignees") ? { commands_changes: {} } : {}),
  };
}
