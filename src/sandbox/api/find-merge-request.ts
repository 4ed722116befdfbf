import { canPushTo } from "../access.ts";
import { readDiffs, type Diff } from "../git/diff.ts";
import { mergeRequestsOf, readMergeability } from "../merge-requests/rows.ts";
import { integer } from "../params.ts";
import { recordNotFound } from "../reply.ts";
import type { Call } from "../route.ts";
import type { Project } from "../state.ts";
import type { MergeRequest } from "../work-rows.ts";
import { getReadable } from "./find-project.ts";
import { mergeRequestEntity } from "./merge-request-entity.ts";

export const mergeRequestPath = { merge_request_iid: integer };

export interface Found {
  readonly project: Project;
  readonly row: MergeRequest;
}

/** By its number in the project: a global id finds nothing. */
export function getMergeRequest(call: Call, iid: number): Found {
  const project = getReadable(call, "forbidden");
  const row = mergeRequestsOf(call.box.state, project).find((one) => one.iid === iid);
  if (!row) throw recordNotFound();
  return { project, row };
}

export async function presentMergeRequest(call: Call, { project, row }: Found): Promise<unknown> {
  const user = call.currentUser();
  const mergeability = await readMergeability(call.box, project, row);
  return mergeRequestEntity(call.box, project, row, mergeability, {
    changes: (await diffsOf(call, { project, row })).length,
    canMerge: user !== null && canPushTo(call.box.state, user, project, row.targetBranch),
  });
}

/** What it changes, told against where it left the target. */
export async function diffsOf(call: Call, { project, row }: Found): Promise<Diff[]> {
  if (row.sha === null || row.baseSha === null) return [];
  return readDiffs(call.box.repositories, project, row.baseSha, row.sha, true);
}
