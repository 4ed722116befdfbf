import { access } from "node:fs/promises";
import { sql } from "kysely";
import { sleep, toError } from "../kernel/clock.ts";
import type { Route, Target } from "../edge/edge.ts";
import { z } from "zod";
import type { Replica } from "../runtimes/runtime.ts";
import type { Parts } from "./context.ts";
import type { Enqueue } from "./enqueue.ts";
import { releases } from "./requests.ts";

const LOOK_MS = 5000;

/**
 * Keeps what should serve serving. At start the edge gets the routes the rows know; then, every few seconds, an environment whose live
 * release has no replica any more (the machine was restarted, a launcher was killed) gets it started again through the queue like any
 * deployment, and replicas that no row knows are stopped. Runs until the signal aborts.
 */
export async function restoreService(parts: Parts, enqueue: Enqueue, stopping: AbortSignal): Promise<void> {
  let routed = false;
  while (!stopping.aborted) {
    try {
      if (!routed) await parts.edge.replaceRoutes(...(await readRoutes(parts)));
      routed = true;
      const replicas = await parts.runtime.list();
      await restartMissing(parts, enqueue, replicas);
      await stopUnknown(parts, replicas);
    } catch (error) {
      parts.log.warn({ error: toError(error) }, "looking after what should serve failed; it is tried again");
    }
    await sleep(LOOK_MS, stopping).catch(() => {}); // the loop ends by itself
  }
}

const targetsShape = z.array(z.object({ host: z.string(), port: z.number() })) satisfies z.ZodType<Target[]>;

async function readRoutes(parts: Parts): Promise<[Route[], number]> {
  const rows = await parts.store.db.selectFrom("route").selectAll().execute();
  const routes = rows.map((row) => ({
    host: row.host,
    environmentId: row.environment_id,
    releaseId: row.release_id,
    targets: targetsShape.parse(row.targets),
    generation: row.generation,
  }));
  return [routes, Math.max(0, ...routes.map((route) => route.generation))];
}

/** Environments with a live release, nothing under way, and no replica of it that runs or is about to. */
async function restartMissing(parts: Parts, enqueue: Enqueue, replicas: readonly Replica[]): Promise<void> {
  const alive = replicas.filter((replica) => replica.state !== "exited").map((replica) => replica.releaseId);
  const { rows } = await sql<{ id: string; live_release_id: string }>`
    select e.id, e.live_release_id from environment e
    where e.live_release_id is not null and not e.live_release_id = any(${alive}::text[])
      and not exists (select 1 from deployment d where d.environment_id = e.id and d.finished_at is null)
      and not exists (
        select 1 from deployment d where d.environment_id = e.id and d.cause in ('restart', 'redeploy') and d.state = 'failed'
        and d.finished_at > now() - interval '1 minute')`.execute(parts.store.db);
  for (const row of rows) await restart(parts, enqueue, row.id, row.live_release_id);
}

/** From the kept release, or, when its files are gone too (a restored backup, another machine), from its source. */
async function restart(
  parts: Parts,
  enqueue: Enqueue,
  environmentId: string,
  releaseId: string,
): Promise<void> {
  const release = await releases(parts, environmentId)
    .select("r.directory")
    .where("r.id", "=", releaseId)
    .executeTakeFirst();
  if (!release) return;
  const { directory, id, ...commit } = release;
  const kept = await access(directory).then(
    () => true,
    () => false,
  );
  await parts.store.transaction(async (tx) => {
    // The lock first: a push that is being enqueued meanwhile must not be superseded by this.
    await tx.selectFrom("environment").select("id").where("id", "=", environmentId).forUpdate().execute();
    const open = await tx
      .selectFrom("deployment")
      .select("id")
      .where("environment_id", "=", environmentId)
      .where("finished_at", "is", null)
      .executeTakeFirst();
    if (open) return;
    const cause = kept ? "restart" : "redeploy";
    await enqueue(tx, { environmentId, ...commit, cause, deliveryId: null, releaseId: kept ? id : null });
  });
  parts.log.warn(
    { environment: environmentId, release: releaseId, kept },
    "the live release had no running replica; it is started again",
  );
}

/** A replica without an open row belongs to nobody: its environment was unlinked or its worker died before it could write. */
async function stopUnknown(parts: Parts, replicas: readonly Replica[]): Promise<void> {
  if (replicas.length === 0) return;
  const known = await parts.store.db
    .selectFrom("replica")
    .select("id")
    .where("state", "<>", "stopped")
    .where(
      "id",
      "in",
      replicas.map((replica) => replica.replicaId),
    )
    .execute();
  const ids = new Set(known.map((row) => row.id));
  for (const replica of replicas) {
    if (!ids.has(replica.replicaId)) await parts.runtime.stop(replica.replicaId, null, parts.deadlines.stop);
  }
}
