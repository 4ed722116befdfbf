import { Fault } from "../faults/fault.ts";
import { newId } from "../kernel/ids.ts";
import type { Tx } from "../store/store.ts";
import type { Queue } from "./queue.ts";
import { reportState } from "./report.ts";
import { getTarget, lockEnvironment, type Target } from "./target.ts";

export type DeploymentCause = "push" | "manual" | "redeploy" | "rollback" | "restart";

export interface EnqueueRequest {
  readonly environmentId: string;
  readonly commit: string;
  /** The branch, without `refs/heads/`. */
  readonly ref: string;
  readonly title: string | null;
  readonly author: string | null;
  readonly cause: DeploymentCause;
  readonly deliveryId: string | null;
  /** With `rollback` and `restart`: the kept release to start again. */
  readonly releaseId: string | null;
}

export interface Enqueued {
  readonly deploymentId: string;
  readonly number: number;
  /** Ids of older queued deployments of that environment that this one replaced. */
  readonly superseded: readonly string[];
}

/**
 * Writes the row, supersedes older queued ones, sends the job and, of a push, sets `environment.wanted_commit`, all in the caller's transaction.
 * Throws `CONFLICT` when the app is being unlinked.
 */
export type Enqueue = (tx: Tx, request: EnqueueRequest) => Promise<Enqueued>;

export function createEnqueue(parts: {
  readonly queue: Queue;
  readonly notify: (tx: Tx, environmentId: string) => Promise<void>;
  readonly appUrl: (host: string) => string;
}): Enqueue {
  return async (tx, request) => {
    await lockEnvironment(tx, request.environmentId);
    const target = await getTarget(tx, request.environmentId);
    if (target.removing) throw Fault.of("CONFLICT", "in_use", { message: `${target.app} is being unlinked` });
    const superseded = await supersedeQueued(tx, target, parts.appUrl);
    const deployment = await tx
      .insertInto("deployment")
      .values({
        id: newId("dep"),
        environment_id: request.environmentId,
        commit_sha: request.commit,
        ref: request.ref,
        title: request.title,
        author: request.author,
        cause: request.cause,
        delivery_id: request.deliveryId,
        release_id: request.releaseId,
      })
      .returning(["id", "number", "commit_sha", "ref"])
      .executeTakeFirstOrThrow();
    if (request.cause === "push") await setWantedCommit(tx, request.environmentId, request.commit);
    await reportState(tx, target, deployment, "queued", parts.appUrl);
    await parts.queue.send(tx, request.environmentId);
    await parts.notify(tx, request.environmentId);
    return { deploymentId: deployment.id, number: deployment.number, superseded };
  };
}

/** What the environment should show: the head that was last read. Rollbacks and old commits leave it, else polling would undo them. */
export async function setWantedCommit(tx: Tx, environmentId: string, commit: string): Promise<void> {
  await tx
    .updateTable("environment")
    .set({ wanted_commit: commit })
    .where("id", "=", environmentId)
    .execute();
}

/** Of queued deployments only the newest is wanted: all with a lower number end as superseded. Returns their ids. */
export async function supersedeQueued(
  tx: Tx,
  target: Target,
  appUrl: (host: string) => string,
  below = Number.MAX_SAFE_INTEGER,
): Promise<readonly string[]> {
  const rows = await tx
    .updateTable("deployment")
    .set({ state: "superseded", finished_at: new Date() })
    .where("environment_id", "=", target.environmentId)
    .where("state", "=", "queued")
    .where("number", "<", below)
    .returning(["id", "commit_sha", "ref"])
    .execute();
  for (const row of rows) await reportState(tx, target, row, "superseded", appUrl);
  return rows.map((row) => row.id);
}
