import type { DeploymentCause } from "./enqueue.ts";
import type { DeploymentState } from "./state.ts";

export interface StepView {
  readonly name: string;
  readonly attempt: number;
  readonly state: "running" | "done" | "failed";
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
}

export interface DeploymentView {
  readonly id: string;
  readonly number: number;
  readonly app: string;
  readonly environment: string;
  readonly state: DeploymentState;
  readonly cause: DeploymentCause;
  readonly commit: string;
  readonly ref: string;
  readonly title: string | null;
  readonly author: string | null;
  readonly releaseId: string | null;
  readonly attempt: number;
  readonly url: string;
  readonly fault: { readonly code: string; readonly reason: string; readonly message: string } | null;
  readonly steps: readonly StepView[];
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

export interface ReleaseView {
  readonly id: string;
  readonly commit: string;
  readonly kind: string;
  readonly live: boolean;
  readonly createdAt: Date;
}

export interface LogLine {
  readonly seq: number;
  readonly at: Date;
  readonly text: string;
}

/** What people and the API do with deployments. Everything is by app name and, where there are several, environment name (default `production`). */
export interface Deployments {
  list(
    app: string,
    options: { readonly limit: number; readonly before?: number },
  ): Promise<readonly DeploymentView[]>;
  get(id: string): Promise<DeploymentView>;
  /** Deploys the head of the environment's branch, or `ref` (branch, tag or commit). */
  deploy(
    app: string,
    options: { readonly ref?: string; readonly environment?: string },
  ): Promise<DeploymentView>;
  /** The commit of the newest deployment again, built anew. */
  redeploy(app: string, options: { readonly environment?: string }): Promise<DeploymentView>;
  /** A kept release again, without building: the given one, or the one before the live one. `NOT_FOUND` when there is none. */
  rollback(
    app: string,
    options: { readonly to?: string; readonly environment?: string },
  ): Promise<DeploymentView>;
  /** Stops exactly this deployment at whatever step it is. A finished one stays as it is (`CONFLICT`). */
  cancel(id: string): Promise<DeploymentView>;
  listReleases(app: string, options: { readonly environment?: string }): Promise<readonly ReleaseView[]>;
  /** Build log: what is stored first, then, with `follow`, what comes, until the deployment has ended or the signal aborts. */
  logs(
    id: string,
    options: { readonly follow: boolean; readonly signal: AbortSignal },
  ): AsyncIterable<LogLine>;
  /** Output of the live replicas of an app. */
  runLogs(
    app: string,
    options: { readonly tailLines: number; readonly follow: boolean; readonly signal: AbortSignal },
  ): AsyncIterable<string>;
}
