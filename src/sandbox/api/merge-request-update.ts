import { LEVEL, levelIn } from "../access.ts";
import { change, mergeRequestsOf, readDiffRefs } from "../merge-requests/rows.ts";
import { tellMergeRequest } from "../merge-requests/tell.ts";
import { forbidden, ok, refuse, type Reply } from "../reply.ts";
import type { Call } from "../route.ts";
import type { Project } from "../state.ts";
import type { MergeRequest } from "../work-rows.ts";
import { getMergeRequest, presentMergeRequest } from "./find-merge-request.ts";
import { fieldsFrom } from "./merge-request-input.ts";

/** Two open ones of the same branches, and one into itself, are refused. */
export function refuseBranches(
  call: Call,
  project: Project,
  branches: Pick<MergeRequest, "sourceBranch" | "targetBranch">,
  except: number | null = null,
): void {
  if (branches.sourceBranch === branches.targetBranch) {
    throw refuse(422, ["You can't use same project/branch for source and target"]);
  }
  const twin = mergeRequestsOf(call.box.state, project).find(
    (row) =>
      row.state === "opened" &&
      row.id !== except &&
      row.sourceBranch === branches.sourceBranch &&
      row.targetBranch === branches.targetBranch,
  );
  if (!twin) return;
  throw refuse(409, [`Another open merge request already exists for this source branch: !${twin.iid}`]);
}

type Update = Parameters<typeof fieldsFrom>[2] & {
  readonly title?: string | undefined;
  readonly target_branch?: string | undefined;
  readonly state_event?: "close" | "reopen" | undefined;
  readonly discussion_locked?: boolean | undefined;
};

export async function updateMergeRequest(call: Call, iid: number, given: Update): Promise<Reply> {
  const { state } = call.box;
  const user = call.authenticate();
  const { project, row } = getMergeRequest(call, iid);
  const may = row.authorId === user.id || levelIn(state, user, project) >= LEVEL.developer;
  if (!may || project.archived) throw forbidden();
  const was = { ...row };
  const targetBranch = given.target_branch ?? row.targetBranch;
  if (row.state === "opened") refuseBranches(call, project, { ...row, targetBranch }, row.id);
  const wanted = wantedOf(call, project, row, given);
  if (differs(was, wanted)) {
    change(state, row, user, wanted);
    if (targetBranch !== was.targetBranch) {
      const { baseSha, startSha } = await readDiffRefs(call.box, project, row);
      Object.assign(row, { baseSha, startSha });
    }
    await tellMergeRequest(call.box, project, user, row, "update", was);
  }
  if (given.state_event !== undefined) await turn(call, project, row, given.state_event);
  return ok(await presentMergeRequest(call, { project, row }));
}

function wantedOf(call: Call, project: Project, row: MergeRequest, given: Update): Partial<MergeRequest> {
  const edited = given.title !== undefined || given.description !== undefined;
  return {
    ...fieldsFrom(call, project, given, row),
    ...(given.title === undefined ? {} : { title: given.title }),
    ...(given.discussion_locked === undefined ? {} : { discussionLocked: given.discussion_locked }),
    ...(edited ? { lastEditedAt: call.box.state.now() } : {}),
    targetBranch: given.target_branch ?? row.targetBranch,
  };
}

function differs(was: MergeRequest, wanted: Partial<MergeRequest>): boolean {
  const { lastEditedAt: _edited, ...rest } = wanted;
  return JSON.stringify({ ...was, ...rest }) !== JSON.stringify(was);
}

/** Closes or reopens; a merged one stays merged, and what is already so is told to nobody. */
export async function turn(
  call: Call,
  project: Project,
  row: MergeRequest,
  event: "close" | "reopen",
): Promise<void> {
  const user = call.authenticate();
  const { state } = call.box;
  const was = { ...row };
  if (event === "close" && row.state === "opened") {
    change(state, row, user, { state: "closed", closedAt: state.now(), closedById: user.id });
    await tellMergeRequest(call.box, project, user, row, "close", was);
  }
  if (event === "reopen" && row.state === "closed") {
    refuseBranches(call, project, row, row.id);
    change(state, row, user, { state: "opened", closedAt: null, closedById: null });
    await tellMergeRequest(call.box, project, user, row, "reopen", was);
  }
}
