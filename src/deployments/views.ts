import { z } from "zod";
import { Fault } from "../faults/fault.ts";
import type { Parts } from "./context.ts";
import type { DeploymentView, ReleaseView, StepView } from "./deployments.ts";

type Read = Pick<Parts, "store" | "appUrl">;

function deploymentRows(read: Read) {
  return read.store.db
    .selectFrom("deployment as d")
    .innerJoin("environment as e", "e.id", "d.environment_id")
    .innerJoin("app as a", "a.id", "e.app_id")
    .select([
      "d.id",
      "d.number",
      "a.name as app",
      "e.name as environment",
      "d.state",
      "d.cause",
      "d.commit_sha as commit",
      "d.ref",
      "d.title",
      "d.author",
      "d.release_id as releaseId",
      "d.attempt",
      "e.host",
      "d.fault",
      "d.created_at as createdAt",
      "d.started_at as startedAt",
      "d.finished_at as finishedAt",
    ]);
}

type Row = Awaited<ReturnType<ReturnType<typeof deploymentRows>["execute"]>>[number];

const faultShape = z.object({ code: z.string(), reason: z.string(), message: z.string() }).nullable();

function toView(read: Read, { host, ...row }: Row, steps: readonly StepView[]): DeploymentView {
  return { ...row, url: read.appUrl(host), fault: faultShape.parse(row.fault), steps };
}

/** Throws `NOT_FOUND`. */
export async function getView(read: Read, id: string): Promise<DeploymentView> {
  const row = await deploymentRows(read).where("d.id", "=", id).executeTakeFirst();
  if (!row) throw Fault.of("NOT_FOUND", "", { message: `There is no deployment ${id}.` });
  return toView(read, row, (await listSteps(read, [id])).get(id) ?? []);
}

/** Newest first; `before` is a deployment's number. */
export async function listViews(
  read: Read,
  appId: string,
  options: { readonly limit: number; readonly before?: number },
): Promise<DeploymentView[]> {
  const rows = await deploymentRows(read)
    .where("a.id", "=", appId)
    .where("d.number", "<", options.before ?? Number.MAX_SAFE_INTEGER)
    .orderBy("d.number", "desc")
    .limit(options.limit)
    .execute();
  const steps = await listSteps(
    read,
    rows.map((row) => row.id),
  );
  return rows.map((row) => toView(read, row, steps.get(row.id) ?? []));
}

async function listSteps(read: Read, ids: readonly string[]): Promise<Map<string, StepView[]>> {
  if (ids.length === 0) return new Map();
  const rows = await read.store.db
    .selectFrom("deployment_step")
    .select([
      "deployment_id",
      "name",
      "attempt",
      "state",
      "started_at as startedAt",
      "finished_at as finishedAt",
    ])
    .where("deployment_id", "in", ids)
    .orderBy("started_at")
    .execute();
  const steps = new Map<string, StepView[]>(ids.map((id) => [id, []]));
  for (const { deployment_id: id, ...step } of rows) steps.get(id)?.push(step);
  return steps;
}

export async function listReleaseViews(read: Read, environmentId: string): Promise<ReleaseView[]> {
  const rows = await read.store.db
    .selectFrom("release as r")
    .innerJoin("environment as e", "e.id", "r.environment_id")
    .select([
      "r.id",
      "r.commit_sha as commit",
      "r.kind",
      "r.created_at as createdAt",
      "e.live_release_id as live",
    ])
    .where("r.environment_id", "=", environmentId)
    .where("r.state", "=", "ready")
    .orderBy("r.created_at", "desc")
    .execute();
  return rows.map(({ live, ...row }) => ({ ...row, live: row.id === live }));
}
