import { sql } from "kysely";
import { toError } from "../kernel/clock.ts";
import { Fault, toFault } from "../faults/fault.ts";
import type { Route } from "../edge/edge.ts";
import { advance, advanceTo, cancelled } from "./advance.ts";
import type { Run } from "./context.ts";
import { renewClaim } from "./claim.ts";
import { writeEvent } from "./event.ts";
import { finishLive } from "./live.ts";
import { removeRelease } from "./release.ts";
import { drainOld, markStopped, recordSwitch } from "./switch.ts";

/** A deployment that loses its workers again and again is given up: it may be what kills them. Every claim and every recovery is an attempt. */
const MOST_ATTEMPTS = 4;
const LOST_TOO_OFTEN = "Its worker was lost again and again; it is not tried any more.";

/** What the story's `catch` does. Never throws: what cannot be put back now is put back by whoever finds the silent claim. */
export async function rollBack(run: Run, error: unknown): Promise<void> {
  const fault = toFault(run.signal.aborted ? run.signal.reason : error);
  const { log, store } = run.parts;
  try {
    const { held } = await renewClaim(store, run.claim); // without the claim nothing here is ours to put back
    if (!held || (fault.is("LOST_WORKER") && !run.stopping.aborted)) {
      return log.warn(
        { deployment: run.claim.deploymentId, why: fault.message },
        "a deployment was taken over by another worker",
      );
    }
    if (await goForward(run)) return;
    if (run.stopping.aborted) return await giveBack(run);
    await putBack(run);
    await run.parts.connections.suspect(run.target.connectionId, fault); // before the next one is claimed
    await end(run, fault);
  } catch (failure) {
    log.error(
      { error: toError(failure), first: fault, deployment: run.claim.deploymentId },
      "putting a deployment back failed; it is tried again",
    );
  }
}

/** The same for a deployment whose worker was lost: from rows and from what the edge says, nothing else. */
export async function recover(run: Run): Promise<void> {
  if (await goForward(run)) return;
  const { cancel } = await renewClaim(run.parts.store, run.claim);
  if (!cancel && run.claim.attempt <= MOST_ATTEMPTS) return giveBack(run);
  await putBack(run);
  await end(run, cancel ? cancelled() : Fault.of("LOST_WORKER", "", { message: LOST_TOO_OFTEN }));
}

/** If the edge serves this deployment already there is no way back: the rows catch up and the old replicas go. */
async function goForward(run: Run): Promise<boolean> {
  const forward: Run = { ...run, signal: new AbortController().signal };
  const recorded = await findRecorded(run);
  const served = recorded === null ? await findServed(run) : null;
  if (served) await recordSwitch(forward, served.route.releaseId, served.replicaId, served.port);
  const id = recorded ?? served?.route.releaseId;
  if (id === undefined) return false;
  await drainOld(forward);
  await finishLive(forward, { id });
  return true;
}

/** The live release, when this deployment's rows say already that the edge acknowledged its switch. */
async function findRecorded(run: Run): Promise<string | null> {
  const row = await run.parts.store.db
    .selectFrom("deployment as d")
    .innerJoin("environment as e", "e.id", "d.environment_id")
    .select("e.live_release_id as id")
    .where("d.id", "=", run.claim.deploymentId)
    .where("d.state", "=", "draining")
    .executeTakeFirst();
  return row?.id ?? null;
}

async function findServed(run: Run): Promise<{ route: Route; replicaId: string; port: number } | null> {
  const replicas = await listReplicas(run);
  if (replicas.length === 0) return null;
  const route = await holdRoute(run);
  for (const { id, port, release_id: releaseId } of replicas) {
    if (port === null || route?.releaseId !== releaseId) continue; // a port alone may be one that was used before
    if (route.targets.some((target) => target.port === port)) return { route, replicaId: id, port };
  }
  return null;
}

/**
 * What the edge serves, given our generation: a switch that was asked for earlier and comes late, from a worker that wakes up only now, is
 * refused from here on. Without it that switch would find an older generation and point the app at a replica that is stopped meanwhile.
 */
async function holdRoute({ parts, claim, target }: Run): Promise<Route | undefined> {
  const { host } = target;
  const { generation } = claim;
  const route = (await parts.edge.routes()).find((one) => one.host === host);
  if (!route) {
    await parts.edge.removeRoute(host, generation);
    return undefined;
  }
  const { applied } = await parts.edge.switchRoute({ ...route, generation });
  if (applied) {
    await parts.store.db
      .updateTable("route")
      .set({ generation })
      .where("host", "=", host)
      .where("generation", "<", generation)
      .execute();
  }
  return route;
}

async function listReplicas(run: Run): Promise<{ id: string; port: number | null; release_id: string }[]> {
  return run.parts.store.db
    .selectFrom("replica")
    .select(["id", "port", "release_id"])
    .where("deployment_id", "=", run.claim.deploymentId)
    .where("attempt", "<=", run.claim.attempt)
    .where("state", "<>", "stopped")
    .execute();
}

/** Stops this deployment's replicas and removes its releases. The release that was live before was never touched. */
async function putBack(run: Run): Promise<void> {
  const { store, runtime, deadlines } = run.parts;
  for (const replica of await listReplicas(run)) {
    await runtime.stop(replica.id, run.claim, deadlines.stop);
    await markStopped(store.db, replica.id);
  }
  const { rows } = await sql<{ id: string; directory: string }>`
    update release r set state = 'removing'
    from deployment d join environment e on e.id = d.environment_id
    where r.deployment_id = d.id and d.id = ${run.claim.deploymentId} and d.attempt = ${run.claim.attempt}
      and r.id is distinct from e.live_release_id
    returning r.id, r.directory`.execute(store.db);
  for (const release of rows) await removeRelease(store, release);
}

/** Back into the queue, for this worker's successor. */
async function giveBack(run: Run): Promise<void> {
  await putBack(run);
  await advance(run, "queued");
}

async function end(run: Run, fault: Fault): Promise<void> {
  const { claim, target } = run;
  const how = fault.is("CANCELLED") ? "cancelled" : "failed";
  run.log.line(how === "cancelled" ? "Cancelled." : `Failed: ${fault.message}`);
  await run.log.flush();
  const text = `${claim.commit.slice(0, 8)} of ${claim.ref} ${how === "cancelled" ? "was cancelled" : `failed: ${fault.message}`}`;
  await advanceTo(run, how, { fault, also: (tx) => writeEvent(tx, target.appId, how, text) });
}
