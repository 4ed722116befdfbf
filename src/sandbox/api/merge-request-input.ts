import { z } from "zod";
import { canSee } from "../access.ts";
import { flag, integer, text } from "../params.ts";
import { refuseAsError } from "../reply.ts";
import type { Call } from "../route.ts";
import type { Project } from "../state.ts";
import type { MergeRequest } from "../work-rows.ts";

const labels = z.union([z.array(text), text]);
const people = z.union([
  z.array(integer),
  integer.transform((id) => [id]),
  z.literal("").transform(() => []),
]);

/** Parameters that a create and an update share. */
export const mergeRequestFields = {
  description: text.optional(),
  labels: labels.optional(),
  add_labels: labels.optional(),
  remove_labels: labels.optional(),
  assignee_id: z.union([integer, z.literal("").transform(() => 0)]).optional(),
  assignee_ids: people.optional(),
  reviewer_ids: people.optional(),
  remove_source_branch: flag.optional(),
  squash: flag.optional(),
};

type Fields = z.output<z.ZodObject<typeof mergeRequestFields>>;

/** What the shared parameters make of a row. People who may not see the project are left out silently. */
export function fieldsFrom(
  call: Call,
  project: Project,
  given: Fields,
  was: Pick<MergeRequest, "labels" | "assigneeIds">,
): Partial<MergeRequest> {
  const reviewers = given.reviewer_ids;
  return {
    ...(given.description === undefined ? {} : { description: given.description }),
    labels: labelsFrom(given, was.labels),
    assigneeIds: assigneesFrom(call, project, given, was.assigneeIds),
    ...(reviewers === undefined ? {} : { reviewerIds: visible(call, project, reviewers) }),
    ...(given.remove_source_branch === undefined ? {} : { removeSourceBranch: given.remove_source_branch }),
    ...(given.squash === undefined ? {} : { squash: given.squash }),
  };
}

function labelsFrom(given: Fields, was: readonly string[]): string[] {
  const base = given.labels === undefined ? was : titles(given.labels);
  const gone = new Set(titles(given.remove_labels));
  return [...new Set([...base, ...titles(given.add_labels)])].filter((title) => !gone.has(title));
}

function titles(given: string | readonly string[] | undefined): string[] {
  const parts = (typeof given === "string" ? [given] : (given ?? [])).flatMap((part) => part.split(","));
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

function assigneesFrom(
  call: Call,
  project: Project,
  given: Fields,
  was: readonly number[],
): readonly number[] {
  if (given.assignee_ids !== undefined) return visible(call, project, given.assignee_ids);
  return given.assignee_id === undefined ? was : visible(call, project, [given.assignee_id]);
}

function visible(call: Call, project: Project, ids: readonly number[]): number[] {
  return ids.filter((id) => {
    const user = call.box.state.users.get(id);
    return user !== undefined && canSee(call.box.state, user, project);
  });
}

/** Grape's `allow_blank: false`. */
export function refuseEmpty(given: Readonly<Record<string, unknown>>, names: readonly string[]): void {
  const empty = names.filter((name) => {
    const value = given[name];
    return typeof value === "string" && value.trim() === "";
  });
  if (empty.length > 0) throw refuseAsError(400, empty.map((name) => `${name} is empty`).join(", "));
}
