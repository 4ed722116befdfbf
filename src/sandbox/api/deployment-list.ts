import type { z } from "zod";
import { LEVEL } from "../access.ts";
import { dateTime, oneOf, text } from "../params.ts";
import { paged } from "../paging.ts";
import { refuse } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Project } from "../state.ts";
import type { Deployment } from "../work-rows.ts";
import { deploymentEntity } from "./environment-entity.ts";
import { getDeployable } from "./environments.ts";

const FILTERS = {
  order_by: oneOf(["id", "iid", "created_at", "updated_at", "finished_at", "ref"]).default("id"),
  sort: oneOf(["asc", "desc"]).default("asc"),
  environment: text.optional(),
  status: oneOf(["created", "running", "success", "failed", "canceled", "blocked", "skipped"]).optional(),
  updated_after: dateTime.optional(),
  updated_before: dateTime.optional(),
  finished_after: dateTime.optional(),
  finished_before: dateTime.optional(),
};

type Filters = z.output<z.ZodObject<typeof FILTERS>>;

export const deploymentListRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/projects/:id/deployments",
    params: FILTERS,
    handle: (call, given) => {
      const project = getDeployable(call, LEVEL.reporter);
      refuseMixed(given);
      const rows = deploymentsOf(call, project).filter((row) => admits(call, given, row));
      return paged(call, sorted(rows, given), (row) => deploymentEntity(call.box, row));
    },
  }),
];

export function deploymentsOf(call: Call, project: Project): Deployment[] {
  return [...call.box.state.deployments.values()].filter((row) => row.projectId === project.id);
}

/** Filters by a time need the order of that time. */
function refuseMixed(given: Filters): void {
  const updated = given.updated_after ?? given.updated_before;
  const finished = given.finished_after ?? given.finished_before;
  if (updated !== undefined && given.order_by !== "updated_at") {
    throw refuse(400, "`updated_at` filter requires `updated_at` sort");
  }
  if (finished !== undefined && given.order_by !== "finished_at") {
    throw refuse(400, "`finished_at` filter requires `finished_at` sort.");
  }
  if (finished !== undefined && given.status !== "success") {
    throw refuse(400, "`finished_at` filter must be combined with `success` status filter.");
  }
}

function admits(call: Call, given: Filters, row: Deployment): boolean {
  const environment = call.box.state.environments.get(row.environmentId)?.name;
  return (
    row.status === (given.status ?? row.status) &&
    environment === (given.environment ?? environment) &&
    within(row.updatedAt, given.updated_after, given.updated_before) &&
    within(row.finishedAt ?? row.updatedAt, given.finished_after, given.finished_before)
  );
}

function within(time: string, after = time, before = time): boolean {
  return Date.parse(time) >= Date.parse(after) && Date.parse(time) <= Date.parse(before);
}

function sorted(rows: readonly Deployment[], { order_by, sort }: Filters): Deployment[] {
  const keys = {
    id: (row: Deployment) => row.id,
    iid: (row: Deployment) => row.iid,
    created_at: (row: Deployment) => Date.parse(row.createdAt),
    updated_at: (row: Deployment) => Date.parse(row.updatedAt),
    finished_at: (row: Deployment) => Date.parse(row.finishedAt ?? row.updatedAt),
    ref: () => 0,
  };
  const sign = sort === "asc" ? 1 : -1;
  const key = keys[order_by];
  return rows.toSorted((a, b) => {
    const byRef = order_by === "ref" ? a.ref.localeCompare(b.ref, "en") : 0;
    return sign * (byRef || key(a) - key(b) || a.id - b.id);
  });
}
