import { LEVEL, levelIn } from "../access.ts";
import { readDiffRefs } from "../merge-requests/rows.ts";
import { tellMergeRequest } from "../merge-requests/tell.ts";
import { flag, integer, oneOf, text } from "../params.ts";
import { created, forbidden, noContent, ok, refuse, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import { checkUnmodified } from "../unmodified.ts";
import type { Project } from "../state.ts";
import type { MergeRequest } from "../work-rows.ts";
import { getMergeRequest, mergeRequestPath, presentMergeRequest } from "./find-merge-request.ts";
import { getProjectAs } from "./find-project.ts";
import { fieldsFrom, mergeRequestFields, refuseEmpty } from "./merge-request-input.ts";
import { mergeRequestListRoutes } from "./merge-request-lists.ts";
import { refuseBranches, updateMergeRequest } from "./merge-request-update.ts";
import { mergeRoutes } from "./merge-request-merge.ts";

const path = "/projects/:id/merge_requests";
const one = `${path}/:merge_request_iid`;
const scopes = ["ai_workflows"];

const CREATE = {
  title: text,
  source_branch: text,
  target_branch: text,
  target_project_id: integer.optional(),
  ...mergeRequestFields,
};

const UPDATE = {
  ...mergeRequestPath,
  title: text.optional(),
  target_branch: text.optional(),
  state_event: oneOf(["close", "reopen"]).optional(),
  discussion_locked: flag.optional(),
  ...mergeRequestFields,
};

export const mergeRequestRoutes: readonly Route[] = [
  ...mergeRequestListRoutes,
  ...mergeRoutes,
  route({
    method: "GET",
    path: one,
    scopes,
    authenticate: "lazily",
    params: mergeRequestPath,
    handle: async (call, { merge_request_iid }) =>
      ok(await presentMergeRequest(call, getMergeRequest(call, merge_request_iid))),
  }),
  route({
    method: "POST",
    path,
    scopes,
    params: CREATE,
    handle: async (call, given) => {
      refuseEmpty(given, ["title", "source_branch", "target_branch"]);
      return createMergeRequest(call, getWritable(call), given);
    },
  }),
  route({
    method: "PUT",
    path: one,
    scopes,
    params: UPDATE,
    needsOneOf: Object.keys(UPDATE).filter((name) => name !== "merge_request_iid"),
    handle: async (call, { merge_request_iid, ...given }) => {
      refuseEmpty(given, ["title", "target_branch"]);
      return updateMergeRequest(call, merge_request_iid, given);
    },
  }),
  route({
    method: "DELETE",
    path: one,
    params: mergeRequestPath,
    handle: (call, { merge_request_iid }) => {
      const { project, row } = getMergeRequest(call, merge_request_iid);
      if (levelIn(call.box.state, call.authenticate(), project) < LEVEL.owner) throw forbidden();
      checkUnmodified(call, row.updatedAt);
      call.box.state.mergeRequests.delete(row.id);
      return noContent();
    },
  }),
];

/** Merge requests are for Developers, and only while the repository is on and the project not archived. */
function getWritable(call: Call): Project {
  const project = getProjectAs(call, LEVEL.developer);
  if (project.archived || !project.repositoryEnabled) throw forbidden();
  return project;
}

type Given = Parameters<typeof fieldsFrom>[2] & {
  readonly title: string;
  readonly source_branch: string;
  readonly target_branch: string;
};

async function createMergeRequest(call: Call, project: Project, given: Given): Promise<Reply> {
  const { state } = call.box;
  const author = call.authenticate();
  const branches = { sourceBranch: given.source_branch, targetBranch: given.target_branch };
  refuseBranches(call, project, branches);
  if (given.title.length > 255) throw refuse(400, { title: ["is too long (maximum is 255 characters)"] });
  const now = state.now();
  const row: MergeRequest = {
    id: state.nextId("merge request"),
    iid: state.nextId(`merge request of ${project.id}`),
    projectId: project.id,
    ...branches,
    title: given.title,
    authorId: author.id,
    ...FRESH,
    createdAt: now,
    updatedAt: now,
    ...fieldsFrom(call, project, given, FRESH),
    ...(await readDiffRefs(call.box, project, branches)),
  };
  state.mergeRequests.set(row.id, row);
  await tellMergeRequest(call.box, project, author, row, "open");
  return created(await presentMergeRequest(call, { project, row }));
}

const FRESH = {
  description: null,
  state: "opened",
  assigneeIds: [],
  reviewerIds: [],
  labels: [],
  squash: false,
  removeSourceBranch: null,
  checked: null,
  discussionLocked: null,
  updatedById: null,
  lastEditedAt: null,
  mergedAt: null,
  mergedById: null,
  closedAt: null,
  closedById: null,
  mergeCommitSha: null,
  squashCommitSha: null,
} as const;
