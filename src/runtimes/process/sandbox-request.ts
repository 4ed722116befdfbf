import type { Containment } from "./containment.ts";
import type { Machine } from "./machine.ts";
import type { SandboxUser, Wrapped } from "./sandbox-spec.ts";
import type { UidRange } from "./sandbox-user.ts";

/** One program to run apart from Fairlead. Paths are the machine's. */
export interface SandboxRequest {
  /** Names the sandbox's processes: no two that live at the same time have the same. */
  readonly id: string;
  readonly environmentId: string;
  /** A private folder of this launch, for files that the way needs and for the sandbox's `/tmp`. */
  readonly launchFolder: string;
  /** What the program works on: in a tree of its own it finds it at `/app`, and also at the machine's path. */
  readonly folder: { readonly path: string; readonly writable: boolean };
  /** Where the program starts: the folder or one in it. */
  readonly directory: string;
  /** Kept between launches, at `/cache` and at the machine's path; holds the home folder. Without it home is `/tmp`. */
  readonly cache: string | null;
  /** More of the machine that is shown read-only. */
  readonly readOnly: readonly string[];
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** Processes and threads. */
  readonly tasks: number;
}

export interface PreparedSandbox {
  readonly wrapped: Wrapped;
  /** To be written to the first process's input after it was recorded; the input stays open until the program shall stop. */
  readonly input: string;
  readonly containment: Containment;
}

export interface SandboxGround {
  readonly machine: Machine;
  /** Passed to every program. */
  readonly baseEnv: Readonly<Record<string, string>>;
  readonly dataDir: string;
  /** `<dataDir>/runtime`. */
  readonly folder: string;
  readonly self: SandboxUser;
  readonly uids: UidRange;
  /** The most open files a program may have: 65,536, or less where this process may not have so many. */
  readonly openFiles: number;
}
