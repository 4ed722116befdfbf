/**
 * A runtime runs replicas of releases. Adapters: `process/` (later Docker, Swarm). All calls may be repeated; calls for different replicas
 * may run concurrently. Errors are Faults: `START_FAILED`, `BUILD_FAILED`, `BUILD_TIMEOUT`, `RUNTIME_UNAVAILABLE`, `CANCELLED`.
 *
 * Fencing: `attempt` is the deployment's attempt number. A runtime remembers the highest attempt it saw of a deployment and
 * refuses calls with a lower one (`LOST_WORKER`).
 */
export interface Fence {
  readonly deploymentId: string;
  readonly attempt: number;
}

export interface BuildCommand {
  /** For people: `install`, `build`. */
  readonly name: string;
  /** A program and its words. A script of the repository's `package.json` is run by its package manager, never by us through a shell. */
  readonly argv: readonly [string, ...string[]];
}

export interface BuildRequest {
  readonly fence: Fence;
  readonly environmentId: string;
  /** The checked out tree: read and written by the build. */
  readonly workspace: string;
  /** Where the commands run: `workspace` or a folder below it. */
  readonly directory: string;
  /** A folder that is kept for this environment between builds (package managers' caches): read and written by the build. */
  readonly cache: string;
  readonly commands: readonly BuildCommand[];
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

export interface StartRequest {
  readonly fence: Fence;
  /** Chosen by the caller before the call, so that a crash in between can be found. Starting an id that runs already changes nothing. */
  readonly replicaId: string;
  readonly environmentId: string;
  readonly releaseId: string;
  /** The release's folder: read-only for the replica. */
  readonly directory: string;
  readonly command: StartCommand;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: Limits;
}

/** `static` is served by a small file server of Fairlead's, in a replica like any other. */
export type StartCommand =
  | { readonly kind: "static"; readonly root: string; readonly fallback: string | null }
  | { readonly kind: "exec"; readonly argv: readonly [string, ...string[]] };

export interface Limits {
  readonly memoryMb: number;
  readonly processes: number;
}

export type ReplicaState = "starting" | "running" | "backing_off" | "exited";

export interface Replica {
  readonly replicaId: string;
  readonly environmentId: string;
  readonly releaseId: string;
  readonly deploymentId: string;
  readonly attempt: number;
  /** Where it is asked to listen (`PORT`); on 127.0.0.1. */
  readonly port: number;
  readonly state: ReplicaState;
  /** How often it was started, the first start included. */
  readonly starts: number;
  readonly exitCode: number | null;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

export interface Isolation {
  /** `bwrap`, `unshare`, `uid`, `none`: what the start-up probe found to work. */
  readonly method: string;
  /** Whether builds and replicas are kept from Fairlead's data directory, sockets and environment. */
  readonly isolated: boolean;
  /** One sentence for people: what works, what is missing and what to install. */
  readonly explanation: string;
}

export interface Runtime {
  readonly name: string;

  /** What was found by really running each way once. Cached after the first call. */
  isolation(): Promise<Isolation>;

  /**
   * Runs the commands one after another in the sandbox, in the workspace. Returns when all have exited with 0. On abort, timeout or
   * failure every process of the build is dead before it throws.
   */
  build(request: BuildRequest): Promise<void>;

  /** Starts a replica and returns as soon as it has a port and a process; it may not be listening yet. */
  start(request: StartRequest): Promise<Replica>;

  /** SIGTERM, then SIGKILL after `graceMs`. After it returns no process of the replica lives and its port is free. Absent: nothing happens. */
  stop(replicaId: string, fence: Fence | null, graceMs: number): Promise<void>;

  /** Every replica of this runtime that exists, whoever started it: how they are found again after Fairlead was away. */
  list(): Promise<readonly Replica[]>;

  /** Runtime output of a replica: the kept tail first, then, with `follow`, what comes. Ends with the signal or with the replica. */
  logs(
    replicaId: string,
    options: { readonly tailLines: number; readonly follow: boolean; readonly signal: AbortSignal },
  ): AsyncIterable<string>;
}
