import type { Box } from "../box.ts";
import { findCommit } from "../git/read.ts";
import type { Hook, HookEvent, Project, State, User } from "../state.ts";
import { changesBetween } from "../webhooks/merge-request-changes.ts";
import {
  mergeRequestPayload,
  type MergeRequestAction,
  type MergeRequestFacts,
} from "../webhooks/merge-request-payload.ts";
import { notePayload } from "../webhooks/note-payload.ts";
import type { MergeRequest, Note } from "../work-rows.ts";
import { readMergeability } from "./rows.ts";

/** A merge request as it was before a change; what a hook tells is the difference. */
export type Snapshot = Readonly<MergeRequest>;

/** Tells a project's hooks of a merge request. Returns when the payload is made; it is sent in the background. */
export async function tellMergeRequest(
  box: Box,
  project: Project,
  user: User,
  row: MergeRequest,
  action: MergeRequestAction,
  before: Snapshot | null = null,
  oldrev: string | null = null,
): Promise<void> {
  const hooks = hooksWanting(box.state, project, "merge_requests_events");
  if (hooks.length === 0) return;
  const changes =
    before === null ? firstChanges(box, project, row) : changesBetween(box, project, before, row);
  const payload = mergeRequestPayload(box, project, user, row, {
    action,
    changes,
    oldrev,
    ...(await readMergeRequestFacts(box, project, row)),
  });
  for (const hook of hooks) box.webhooks.send(hook, "merge_request_hooks", payload);
}

/** What a payload says of git. */
export async function readMergeRequestFacts(
  box: Box,
  project: Project,
  row: MergeRequest,
): Promise<Pick<MergeRequestFacts, "lastCommit" | "mergeability">> {
  return {
    lastCommit: row.sha === null ? null : await findCommit(box.repositories, project, row.sha),
    mergeability: await readMergeability(box, project, row),
  };
}

/** A new merge request counts as changed from nothing in what its author chose. */
function firstChanges(box: Box, project: Project, row: MergeRequest): ReturnType<typeof changesBetween> {
  const blank: MergeRequest = { ...row, labels: [], assigneeIds: [], reviewerIds: [] };
  return changesBetween(box, project, blank, row);
}

export async function tellNote(
  box: Box,
  project: Project,
  user: User,
  row: MergeRequest,
  note: Note,
  action: "create" | "update",
): Promise<void> {
  const hooks = hooksWanting(box.state, project, "note_events");
  if (hooks.length === 0) return;
  const facts = await readMergeRequestFacts(box, project, row);
  const payload = notePayload(box, project, user, row, { note, action, ...facts });
  for (const hook of hooks) box.webhooks.send(hook, "note_hooks", payload);
}

function hooksWanting(state: State, project: Project, event: HookEvent): Hook[] {
  return [...state.hooks.values()].filter((hook) => hook.projectId === project.id && hook.events.has(event));
}
