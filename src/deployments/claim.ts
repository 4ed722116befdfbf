import { sql } from "kysely";
import type { Store, Tx } from "../store/store.ts";
import type { Claim, Parts } from "./context.ts";
import { supersedeQueued, type DeploymentCause } from "./enqueue.ts";
import { reportState } from "./report.ts";
import { RUNNING_STATES, type DeploymentState } from "./state.ts";
import { getTarget, lockEnvironment } from "./target.ts";

/** A worker that was not heard of for this long is taken for dead. Its own heartbeat comes every 2 s. */
export const LEASE_SECONDS = 10;

export type Found =
  /** The newest queued deployment is ours now. */
  | { readonly kind: "claimed"; readonly claim: Claim }
  /** Its worker was lost: what it left must be put back first. */
  | { readonly kind: "lost"; readonly claim: Claim; readonly state: DeploymentState }
  /** A living worker is at it. */
  | { readonly kind: "busy" }
  | { readonly kind: "nothing" };

/**
 * Looks at one environment under its row lock. Claiming raises the attempt and draws the generation in the same statement, so whoever held
 * the deployment before is fenced off from that moment.
 */
export async function claimNext(parts: Parts, environmentId: string): Promise<Found> {
  const { workerId } = parts;
  return parts.store.transaction(async (tx) => {
    await lockEnvironment(tx, environmentId); // without the environment there are no deployments of it either
    const running = await findRunning(tx, environmentId);
    if (running && !running.lost) return { kind: "busy" };
    if (running)
      return {
        kind: "lost",
        claim: await take(tx, running.id, workerId, running.state),
        state: running.state,
      };
    const next = await takeNewest(tx, environmentId);
    if (!next) return { kind: "nothing" };
    const target = await getTarget(tx, environmentId);
    await supersedeQueued(tx, target, parts.appUrl, next.number);
    await reportState(tx, target, next, "checking_out", parts.appUrl);
    return {
      kind: "claimed",
      claim: await take(tx, next.id, workerId, buildsFromSource(next.cause) ? "checking_out" : "starting"),
    };
  });
}

/** From its source, or from a kept release. */
function buildsFromSource(cause: DeploymentCause): boolean {
  return cause !== "rollback" && cause !== "restart";
}

/** What is built from source waits while its connection does; kept releases need no GitLab. */
const MAY_START = sql<boolean>`(cause in ('rollback', 'restart') or not exists (
  select from environment e join app a on a.id = e.app_id join linked_project p on p.id = a.linked_project_id
    join connection c on c.id = p.connection_id
  where e.id = deployment.environment_id and c.paused_at is not null))`;

async function findRunning(
  tx: Tx,
  environmentId: string,
): Promise<{ id: string; state: DeploymentState; lost: boolean } | undefined> {
  return tx
    .selectFrom("deployment")
    .select([
      "id",
      "state",
      sql<boolean>`coalesce(heartbeat_at < now() - make_interval(secs => ${LEASE_SECONDS}), true)`.as("lost"),
    ])
    .where("environment_id", "=", environmentId)
    .where("state", "in", RUNNING_STATES)
    .executeTakeFirst();
}

async function takeNewest(
  tx: Tx,
  environmentId: string,
): Promise<
  { id: string; number: number; cause: DeploymentCause; commit_sha: string; ref: string } | undefined
> {
  return tx
    .selectFrom("deployment")
    .select(["id", "number", "cause", "commit_sha", "ref"])
    .where("environment_id", "=", environmentId)
    .where("state", "=", "queued")
    .where(MAY_START)
    .orderBy("number", "desc")
    .limit(1)
    .executeTakeFirst();
}

async function take(tx: Tx, deploymentId: string, workerId: string, state: DeploymentState): Promise<Claim> {
  const row = await tx
    .updateTable("deployment")
    .set({
      attempt: sql`attempt + 1`,
      generation: sql`nextval('route_generation')`,
      worker_id: workerId,
      heartbeat_at: sql`now()`,
      started_at: sql`coalesce(started_at, now())`,
      state,
    })
    .where("id", "=", deploymentId)
    .returning(["id", "environment_id", "attempt", "generation", "commit_sha", "ref", "release_id", "cause"])
    .executeTakeFirstOrThrow();
  return {
    deploymentId: row.id,
    environmentId: row.environment_id,
    attempt: row.attempt,
    generation: row.generation ?? 0,
    commit: row.commit_sha,
    ref: row.ref,
    releaseId: buildsFromSource(row.cause) ? null : row.release_id,
  };
}

/** Whether the claim still holds; renews it for another lease. Also tells whether a person wants it cancelled. */
export async function renewClaim(
  store: Store,
  claim: Claim,
): Promise<{ readonly held: boolean; readonly cancel: boolean }> {
  const row = await store.db
    .updateTable("deployment")
    .set({ heartbeat_at: sql`now()` })
    .where("id", "=", claim.deploymentId)
    .where("attempt", "=", claim.attempt)
    .where("finished_at", "is", null)
    .returning("cancel_requested_at")
    .executeTakeFirst();
  return { held: row !== undefined, cancel: row !== undefined && row.cancel_requested_at !== null };
}

/** Environments that need a worker but may have lost their job: queued rows, and running ones whose worker is silent. */
export async function listWaitingEnvironments(store: Store): Promise<readonly string[]> {
  const rows = await sql<{ environment_id: string }>`
    select distinct environment_id from deployment
    where finished_at is null
      and (state = 'queued' and ${MAY_START} or heartbeat_at < now() - make_interval(secs => ${LEASE_SECONDS}))`.execute(
    store.db,
  );
  return rows.rows.map((row) => row.environment_id);
}
