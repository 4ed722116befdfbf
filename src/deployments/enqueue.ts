import type { Tx } from "../store/store.ts";

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

/** Writes the row, supersedes older queued ones, sends the job and sets `environment.wanted_commit`, all in the caller's transaction. */
export type Enqueue = (tx: Tx, request: EnqueueRequest) => Promise<Enqueued>;
