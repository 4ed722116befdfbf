/** What a sandbox shows of the machine and how the program in it is run; the ways (`bwrap`, `unshare`, …) make words of it. */
export interface SandboxSpec {
  readonly mounts: readonly Mount[];
  readonly links: readonly Link[];
  /** In the sandbox. */
  readonly directory: string;
  readonly argv: readonly [string, ...string[]];
  readonly user: SandboxUser;
  readonly limits: ProcessLimits;
}

/** Something of the machine, shown at `at` in the sandbox; or, of the kind `memory`, an empty folder in memory that all may write. */
export interface Mount {
  readonly from: string;
  readonly at: string;
  readonly kind: "folder" | "file" | "memory";
  readonly writable: boolean;
}

export interface Link {
  readonly at: string;
  readonly target: string;
}

export interface SandboxUser {
  readonly uid: number;
  readonly gid: number;
}

export interface ProcessLimits {
  /** Open files. */
  readonly files: number;
  /** Processes and threads of the sandbox's user; null where that user is shared with others and the limit would hit them. */
  readonly tasks: number | null;
}

/** The programs that the ways use, found once. */
export interface Tools {
  readonly sh: string;
  readonly setpriv: string | null;
  readonly unshare: string | null;
  readonly setsid: string | null;
  readonly prlimit: string | null;
  readonly bwrap: string | null;
}

/** A program and its words, ready for `kernel/run.ts`. */
export interface Wrapped {
  readonly file: string;
  readonly args: readonly string[];
}

/** Whether `inner` is `outer` or lies in it. Both absolute and normal. */
export function isInside(inner: string, outer: string): boolean {
  return inner === outer || outer === "/" || inner.startsWith(`${outer}/`);
}
