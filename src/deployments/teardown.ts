import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { sql } from "kysely";
import { waitUntil } from "../kernel/retry.ts";
import { deadline } from "../kernel/clock.ts";
import type { Tx } from "../store/store.ts";
import type { Parts } from "./context.ts";
import { reportState } from "./report.ts";
import { markStopped } from "./switch.ts";
import { getTarget, lockEnvironment, pathsOf } from "./target.ts";

type Tools = Pick<Parts, "store" | "edge" | "runtime" | "dataDir" | "deadlines" | "appUrl">;

/**
 * Stops everything of an environment before its rows go: deployments under way are cancelled and waited for, the route is removed, replicas
 * are stopped, files are removed. May be called again after a failure. The app has to be marked as being removed: from then on nothing is queued.
 */
export async function tearDown(tools: Tools, environmentId: string, signal?: AbortSignal): Promise<void> {
  await cancelAll(tools, environmentId, deadline(60_000, signal));
  await removeRoute(tools, environmentId);
  const replicas = await tools.store.db
    .selectFrom("replica")
    .select("id")
    .where("environment_id", "=", environmentId)
    .where("state", "<>", "stopped")
    .execute();
  await Promise.all(
    replicas.map(async (replica) => {
      await tools.runtime.stop(replica.id, null, tools.deadlines.stop);
      await markStopped(tools.store.db, replica.id);
    }),
  );
  await tools.store.db
    .updateTable("environment")
    .set({ live_release_id: null })
    .where("id", "=", environmentId)
    .execute();
  const folder = dirname(pathsOf(tools.dataDir, environmentId).workspace);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 }); // work that nobody waits for may still write there
}

/** With a generation of its own, so that a worker that wakes up after all this cannot bring the host back. */
async function removeRoute({ store, edge }: Tools, environmentId: string): Promise<void> {
  const { host } = await getTarget(store.db, environmentId);
  const { rows } = await sql<{
    generation: number;
  }>`select nextval('route_generation') as generation`.execute(store.db);
  for (const { generation } of rows) await edge.removeRoute(host, generation);
  await store.db.deleteFrom("route").where("environment_id", "=", environmentId).execute();
}

async function cancelAll(tools: Tools, environmentId: string, signal: AbortSignal): Promise<void> {
  await tools.store.transaction((tx) => requestCancelAll(tools, tx, environmentId));
  await waitUntil(
    async () => {
      const open = await tools.store.db
        .selectFrom("deployment")
        .select("id")
        .where("environment_id", "=", environmentId)
        .where("finished_at", "is", null)
        .executeTakeFirst();
      return open === undefined;
    },
    { everyMs: 200, signal },
  );
}

/** Under the environment's lock: a deployment that is being queued at this moment is either seen here or refused. */
async function requestCancelAll(tools: Tools, tx: Tx, environmentId: string): Promise<void> {
  await lockEnvironment(tx, environmentId);
  const target = await getTarget(tx, environmentId);
  const now = new Date();
  const queued = await tx
    .updateTable("deployment")
    .set({ state: "cancelled", finished_at: now, cancel_requested_at: now })
    .where("environment_id", "=", environmentId)
    .where("state", "=", "queued")
    .returning(["id", "commit_sha", "ref"])
    .execute();
  for (const row of queued) await reportState(tx, target, row, "cancelled", tools.appUrl);
  const running = await tx
    .updateTable("deployment")
    .set({ cancel_requested_at: now })
    .where("environment_id", "=", environmentId)
    .where("finished_at", "is", null)
    .returning("id")
    .execute();
  for (const row of running) await tools.store.notify("cancel", row.id, tx);
}
