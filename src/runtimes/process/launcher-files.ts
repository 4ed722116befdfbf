import type { Containment, SandboxProcesses } from "./containment.ts";
import type { ProcessRef } from "./processes.ts";
import type { Fence, ReplicaState } from "../runtime.ts";

/** What a launcher is told through its standard input, by the Fairlead that starts it. Holds the replica's environment. */
export interface LaunchOrder {
  readonly file: string;
  readonly args: readonly string[];
  /** For the sandbox's first process: the environment and the word to begin. */
  readonly input: string;
  readonly containment: Containment;
  readonly fence: Fence;
  readonly fences: string;
  readonly logBytes: number;
}

/** What a launcher writes down, whole or not at all, whenever it changes. */
export interface LauncherState {
  readonly launcher: ProcessRef;
  readonly sandbox: SandboxProcesses | null;
  readonly state: ReplicaState;
  readonly starts: number;
  readonly exitCode: number | null;
  readonly startedAt: number;
}
