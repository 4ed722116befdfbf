import { LEVEL, levelIn } from "../access.ts";
import { mergeRequestsOf } from "../merge-requests/rows.ts";
import { tellNote } from "../merge-requests/tell.ts";
import { integer, oneOf, text } from "../params.ts";
import { limitUse } from "../rate-limits.ts";
import { paged } from "../paging.ts";
import {
  badRequest,
  created,
  forbidden,
  noContent,
  notFound,
  ok,
  recordNotFound,
  type Reply,
} from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Note } from "../work-rows.ts";
import type { Found } from "./find-merge-request.ts";
import { getReadable } from "./find-project.ts";
import { noteEntity } from "./note-entity.ts";
import { isCommandsOnly, runCommands } from "./quick-actions.ts";

const path = "/projects/:id/merge_requests/:noteable_id/notes";
const scopes = ["ai_workflows"];
const target = { noteable_id: integer };
const single = { ...target, note_id: integer };

export const noteRoutes: readonly Route[] = [
  route({
    method: "GET",
    path,
    scopes,
    params: {
      ...target,
      sort: oneOf(["asc", "desc"]).default("desc"),
      order_by: oneOf(["created_at", "updated_at"]).default("created_at"),
    },
    handle: (call, { noteable_id, sort, order_by }) => {
      const found = getTarget(call, noteable_id);
      const key = (note: Note): string => (order_by === "created_at" ? note.createdAt : note.updatedAt);
      const rows = notesOf(call, found).toSorted((a, b) => key(a).localeCompare(key(b), "en") || a.id - b.id);
      return paged(call, sort === "asc" ? rows : rows.toReversed(), (note) =>
        noteEntity(call.box, found.row, note),
      );
    },
  }),
  route({
    method: "GET",
    path: `${path}/:note_id`,
    scopes,
    params: single,
    handle: (call, { noteable_id, note_id }) => {
      const found = getTarget(call, noteable_id);
      return ok(noteEntity(call.box, found.row, getNote(call, found, note_id)));
    },
  }),
  route({
    method: "POST",
    path,
    scopes,
    params: { ...target, body: text },
    handle: (call, { noteable_id, body }) => createNote(call, noteable_id, body),
  }),
  route({
    method: "PUT",
    path: `${path}/:note_id`,
    scopes,
    params: { ...single, body: text.optional() },
    handle: async (call, { noteable_id, note_id, body }) => {
      const found = getTarget(call, noteable_id);
      const note = getEditable(call, found, note_id);
      const { state } = call.box;
      if (body !== undefined) {
        refuseBlank(body);
        const user = call.authenticate();
        Object.assign(note, { body, updatedAt: state.now(), updatedById: user.id });
        await tellNote(call.box, found.project, user, found.row, note, "update");
      }
      return ok(noteEntity(call.box, found.row, note));
    },
  }),
  route({
    method: "DELETE",
    path: `${path}/:note_id`,
    scopes,
    params: single,
    handle: (call, { noteable_id, note_id }) => {
      const found = getTarget(call, noteable_id);
      call.box.state.notes.delete(getEditable(call, found, note_id).id);
      return noContent();
    },
  }),
];

/** The merge request that is talked about; one that is not there has the words of notes, not of merge requests. */
function getTarget(call: Call, iid: number): Found {
  const project = getReadable(call, "forbidden");
  const row = mergeRequestsOf(call.box.state, project).find((one) => one.iid === iid);
  if (row) return { project, row };
  throw call.box.version.has("noteTargetByClass") ? notFound("MergeRequest") : recordNotFound();
}

function notesOf(call: Call, { row }: Found): Note[] {
  return [...call.box.state.notes.values()].filter((note) => note.mergeRequestId === row.id);
}

function getNote(call: Call, found: Found, id: number): Note {
  const note = notesOf(call, found).find((one) => one.id === id);
  if (!note) throw recordNotFound();
  return note;
}

/** Notes are their author's, and a Maintainer's. */
function getEditable(call: Call, found: Found, id: number): Note {
  const note = getNote(call, found, id);
  const user = call.authenticate();
  const may = note.authorId === user.id || levelIn(call.box.state, user, found.project) >= LEVEL.maintainer;
  if (!may || found.project.archived) throw forbidden();
  return note;
}

function refuseBlank(body: string): void {
  if (body.trim() === "") throw badRequest(`Note {:note=>["can't be blank"]}`);
}

async function createNote(call: Call, iid: number, body: string): Promise<Reply> {
  const { state } = call.box;
  const user = call.authenticate();
  limitUse(call, "notes_create", String(user.id), state.settings.notesCreateLimit || Infinity);
  const found = getTarget(call, iid);
  const { project, row } = found;
  const isMember = levelIn(state, user, project) >= LEVEL.reporter;
  if (project.archived || (row.discussionLocked === true && !isMember)) throw forbidden();
  refuseBlank(body);
  if (isCommandsOnly(body)) return runCommands(call, found, body);
  const now = state.now();
  const note: Note = {
    id: state.nextId("note"),
    projectId: project.id,
    mergeRequestId: row.id,
    authorId: user.id,
    createdAt: now,
    body,
    updatedAt: now,
    updatedById: null,
  };
  state.notes.set(note.id, note);
  await tellNote(call.box, project, user, row, note, "create");
  return created(noteEntity(call.box, row, note));
}
