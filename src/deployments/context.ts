import type { Connections } from "../connections/connections.ts";
import type { Edge } from "../edge/edge.ts";
import type { Limits, Runtime } from "../runtimes/runtime.ts";
import type { Source } from "../source/source.ts";
import type { Store } from "../store/store.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { DeploymentLog } from "./log-writer.ts";
import type { Queue } from "./queue.ts";
import type { Target } from "./target.ts";

/** What the steps work with. Made once by `main.ts`. */
export interface Parts {
  readonly store: Store;
  readonly queue: Queue;
  readonly connections: Connections;
  readonly source: Source;
  readonly runtime: Runtime;
  readonly edge: Edge;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, "observeDeployment" | "observeStep">;
  /** Fairlead's data directory: workspaces, caches and releases lie below it. */
  readonly dataDir: string;
  /** Names this worker in the rows it claims. */
  readonly workerId: string;
  readonly limits: Limits;
  readonly deadlines: Deadlines;
  /** Where people reach a host: `http://shop.localhost:8080`. */
  readonly appUrl: (host: string) => string;
  readonly allowUnisolated: boolean;
  /** Takes every known secret out of a text before it is stored. */
  readonly redact: (text: string) => string;
  /** Runs work that nobody waits for; it is aborted and awaited when Fairlead stops, and its errors are logged. */
  readonly afterwards: (name: string, work: (signal: AbortSignal) => Promise<void>) => void;
}

/** All in milliseconds. */
export interface Deadlines {
  readonly checkOut: number;
  readonly build: number;
  readonly healthy: number;
  readonly drain: number;
  /** Between SIGTERM and SIGKILL of a replica. */
  readonly stop: number;
}

export const DEFAULT_DEADLINES: Deadlines = {
  checkOut: 10 * 60_000,
  build: 30 * 60_000,
  healthy: 60_000,
  drain: 30_000,
  stop: 10_000,
};

/** A deployment row as its worker claimed it. */
export interface Claim {
  readonly deploymentId: string;
  readonly environmentId: string;
  /** Raised by each claim. Every write and every call of runtime and edge carries it. */
  readonly attempt: number;
  /** Drawn at the claim, so that a worker that wakes up late holds a lower one than its successor. */
  readonly generation: number;
  readonly commit: string;
  readonly ref: string;
  /** With a rollback or a restart: the kept release to start. */
  readonly releaseId: string | null;
}

/** One attempt under way. */
export interface Run {
  readonly parts: Parts;
  readonly claim: Claim;
  readonly target: Target;
  readonly log: DeploymentLog;
  /** Aborts with a Fault: `CANCELLED` when a person cancelled, `LOST_WORKER` when the claim is gone or Fairlead stops. */
  readonly signal: AbortSignal;
  /** Aborted when Fairlead stops: then what is unfinished goes back into the queue. */
  readonly stopping: AbortSignal;
}
