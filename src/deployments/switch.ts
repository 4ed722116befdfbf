import { Fault } from "../faults/fault.ts";
import type { Replica } from "../runtimes/runtime.ts";
import type { Tx } from "../store/store.ts";
import { advance, step } from "./advance.ts";
import type { Run } from "./context.ts";
import type { Release } from "./release.ts";

/** Points the edge at the new replica. Rows say `live` only after the edge has acknowledged; recovery asks the edge. */
export async function switchTo(run: Run, release: Release, replica: Replica): Promise<void> {
  await advance(run, "switching");
  await step(run, "switch", async () => {
    const target = { host: "127.0.0.1", port: replica.port };
    const switched = await run.parts.edge.switchRoute({
      host: run.target.host,
      environmentId: run.claim.environmentId,
      releaseId: release.id,
      targets: [target],
      generation: run.claim.generation,
    });
    if (!switched.applied)
      throw Fault.of("LOST_WORKER", "", { message: "the edge already serves a newer switch" });
    await recordSwitch(run, release.id, replica.replicaId, replica.port);
  });
}

/** The rows after an acknowledged switch: what is live, the route, and the deployment past the point of no return. */
export async function recordSwitch(
  run: Run,
  releaseId: string,
  replicaId: string,
  port: number,
): Promise<void> {
  await advance(run, "draining", async (tx) => {
    await tx
      .updateTable("environment")
      .set({ live_release_id: releaseId })
      .where("id", "=", run.claim.environmentId)
      .execute();
    await tx.updateTable("replica").set({ state: "serving", port }).where("id", "=", replicaId).execute();
    await upsertRoute(tx, run, releaseId, port);
  });
}

async function upsertRoute(tx: Tx, run: Run, releaseId: string, port: number): Promise<void> {
  const route = {
    environment_id: run.claim.environmentId,
    release_id: releaseId,
    targets: JSON.stringify([{ host: "127.0.0.1", port }]),
    generation: run.claim.generation,
    updated_at: new Date(),
  };
  await tx
    .insertInto("route")
    .values({ host: run.target.host, ...route })
    .onConflict((conflict) => conflict.column("host").doUpdateSet(route))
    .execute();
}

/** Lets requests under way end on the replicas that served before, then stops them. */
export async function drainOld(run: Run): Promise<void> {
  await step(run, "drain", async () => {
    const old = await run.parts.store.db
      .selectFrom("replica")
      .select(["id", "port"])
      .where("environment_id", "=", run.claim.environmentId)
      .where("state", "<>", "stopped")
      .where((eb) => eb.or([eb("deployment_id", "<>", run.claim.deploymentId), eb("state", "<>", "serving")]))
      .execute();
    await Promise.all(old.map((replica) => retire(run, replica)));
  });
}

async function retire(
  run: Run,
  replica: { readonly id: string; readonly port: number | null },
): Promise<void> {
  const { edge, runtime, store, deadlines } = run.parts;
  await store.db.updateTable("replica").set({ state: "stopping" }).where("id", "=", replica.id).execute();
  if (replica.port !== null) await edge.drain({ host: "127.0.0.1", port: replica.port }, deadlines.drain);
  await runtime.stop(replica.id, run.claim, deadlines.stop);
  await markStopped(store.db, replica.id);
}

export async function markStopped(db: Run["parts"]["store"]["db"], replicaId: string): Promise<void> {
  await db
    .updateTable("replica")
    .set({ state: "stopped", stopped_at: new Date() })
    .where("id", "=", replicaId)
    .execute();
}
