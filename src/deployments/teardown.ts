import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { waitUntil } from "../kernel/retry.ts";
import { deadline } from "../kernel/clock.ts";
import type { Parts } from "./context.ts";
import { markStopped } from "./switch.ts";
import { pathsOf } from "./target.ts";

type Tools = Pick<Parts, "store" | "edge" | "runtime" | "dataDir" | "deadlines">;

/**
 * Stops everything of an environment before its rows go: deployments under way are cancelled and waited for, the route is removed, replicas
 * are stopped, files are removed. May be called again after a failure.
 */
export async function tearDown(tools: Tools, environmentId: string, signal?: AbortSignal): Promise<void> {
  await cancelAll(tools, environmentId, deadline(60_000, signal));
  const routes = await tools.store.db
    .selectFrom("route")
    .select(["host", "generation"])
    .where("environment_id", "=", environmentId)
    .execute();
  for (const route of routes) await tools.edge.removeRoute(route.host, route.generation);
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
  await rm(dirname(pathsOf(tools.dataDir, environmentId).workspace), { recursive: true, force: true });
}

async function cancelAll(tools: Tools, environmentId: string, signal: AbortSignal): Promise<void> {
  const now = new Date();
  const { db } = tools.store;
  await db
    .updateTable("deployment")
    .set({ state: "cancelled", finished_at: now, cancel_requested_at: now })
    .where("environment_id", "=", environmentId)
    .where("state", "=", "queued")
    .execute();
  const running = await db
    .updateTable("deployment")
    .set({ cancel_requested_at: now })
    .where("environment_id", "=", environmentId)
    .where("finished_at", "is", null)
    .returning("id")
    .execute();
  for (const row of running) await tools.store.notify("cancel", row.id);
  await waitUntil(
    async () => {
      const open = await db
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
