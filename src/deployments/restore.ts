import { access } from "node:fs/promises";
import { sql } from "kysely";
import { sleep, toError } from "../kernel/clock.ts";
import type { Replica } from "../runtimes/runtime.ts";
import type { Tx } from "../store/store.ts";
import { alignEdge } from "./align-edge.ts";
import type { Parts } from "./context.ts";
import type { Enqueue } from "./enqueue.ts";
import { releases } from "./requests.ts";
import { markStopped } from "./switch.ts";
import { lockEnvironment } from "./target.ts";

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
      if (!routed) await alignEdge(parts);
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

/**
 * Environments with a live release, nothing under way, and no replica of it that runs or is about to. One that cannot be started is left alone for
 * longer and longer, up to an hour: a deployment each minute for ever would help nobody.
 */
async function restartMissing(parts: Parts, enqueue: Enqueue, replicas: readonly Replica[]): Promise<void> {
  const alive = replicas.filter((replica) => replica.state !== "exited").map((replica) => replica.releaseId);
  const { rows } = await sql<{ id: string; live_release_id: string }>`
    select e.id, e.live_release_id from environment e
    where e.live_release_id is not null and not e.live_release_id = any(${alive}::text[])
      and not exists (select 1 from deployment d where d.environment_id = e.id and d.finished_at is null)
      and not exists (select 1 from app a where a.id = e.app_id and a.removing_at is not null)
      and not exists (
        select 1 from deployment d where d.environment_id = e.id and d.state = 'failed' and d.cause in ('restart', 'redeploy')
          and d.finished_at > now() - least(interval '1 hour', interval '1 minute' * power(2, (
            select count(*) from deployment f where f.environment_id = e.id and f.state = 'failed'
              and f.number > coalesce((select max(l.number) from deployment l where l.environment_id = e.id and l.state = 'live'), 0)))))
    `.execute(parts.store.db);
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
  const restarted = await parts.store.transaction(async (tx) => {
    // The lock first: a push that is being enqueued meanwhile must not be superseded by this.
    await lockEnvironment(tx, environmentId);
    if (!(await isStillMissing(parts, tx, environmentId, releaseId))) return false;
    const cause = kept ? "restart" : "redeploy";
    await enqueue(tx, { environmentId, ...commit, cause, deliveryId: null, releaseId: kept ? id : null });
    return true;
  });
  if (!restarted) return;
  parts.log.warn(
    { environment: environmentId, release: releaseId, kept },
    "the live release had no running replica; it is started again",
  );
}

/** Replicas were listed before the rows were read: a deployment may have ended in between, or another server may restart it already. */
async function isStillMissing(
  parts: Parts,
  tx: Tx,
  environmentId: string,
  releaseId: string,
): Promise<boolean> {
  const idle = await sql`select 1 from environment e join app a on a.id = e.app_id
    where e.id = ${environmentId} and e.live_release_id = ${releaseId} and a.removing_at is null
      and not exists (select 1 from deployment d where d.environment_id = e.id and d.finished_at is null)`.execute(
    tx,
  );
  if (idle.rows.length === 0) return false;
  return !(await parts.runtime.list()).some((one) => one.releaseId === releaseId && one.state !== "exited");
}

/** A replica without an open row of an environment that exists belongs to nobody: it was unlinked, or its worker died before it could write. */
async function stopUnknown(parts: Parts, replicas: readonly Replica[]): Promise<void> {
  if (replicas.length === 0) return;
  const known = await parts.store.db
    .selectFrom("replica")
    .innerJoin("environment", "environment.id", "replica.environment_id")
    .select("replica.id")
    .where("replica.state", "<>", "stopped")
    .where(
      "replica.id",
      "in",
      replicas.map((replica) => replica.replicaId),
    )
    .execute();
  const ids = new Set(known.map((row) => row.id));
  for (const replica of replicas) {
    if (ids.has(replica.replicaId)) continue;
    await parts.runtime.stop(replica.replicaId, null, parts.deadlines.stop);
    await markStopped(parts.store.db, replica.replicaId);
  }
}
