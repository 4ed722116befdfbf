import { sql } from "kysely";
import { z } from "zod";
import type { Route, Target } from "../edge/edge.ts";
import type { Parts } from "./context.ts";

/**
 * Gives the edge the routes the rows know. Rows that come from a backup know less than the edge: generations go on above what it holds, or it
 * would refuse every switch. A switch of another worker that is acknowledged and not yet in the rows is left alone.
 */
export async function alignEdge({ edge, store }: Pick<Parts, "edge" | "store">): Promise<void> {
  const held = Math.max(0, ...(await edge.routes()).map((route) => route.generation));
  await sql`select setval('route_generation', ${held}::bigint) from route_generation where last_value < ${held}::bigint`.execute(
    store.db,
  );
  // Before the routes are read: what is claimed after it has a higher generation than all of them.
  const open = await sql<{ lowest: number | null }>`
    select min(generation) as lowest from deployment where finished_at is null and state <> 'queued'`.execute(
    store.db,
  );
  const routes = await readRoutes(store);
  const newest = Math.max(0, ...routes.map((route) => route.generation));
  await edge.replaceRoutes(routes, Math.min(newest, (open.rows[0]?.lowest ?? Infinity) - 1));
}

const targetsShape = z.array(z.object({ host: z.string(), port: z.number() })) satisfies z.ZodType<Target[]>;

async function readRoutes(store: Parts["store"]): Promise<Route[]> {
  const rows = await store.db.selectFrom("route").selectAll().execute();
  return rows.map((row) => ({
    host: row.host,
    environmentId: row.environment_id,
    releaseId: row.release_id,
    targets: targetsShape.parse(row.targets),
    generation: row.generation,
  }));
}
