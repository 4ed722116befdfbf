import type { Problem } from "../http/contract.ts";

/** What a server answered instead of what was asked for. */
export class ServerProblem extends Error {
  override readonly name = "ServerProblem";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.title);
    this.problem = problem;
  }
}

/** Wrong usage: shown without cause and fix, exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A person pressed Ctrl-C: exit code 130, as shells expect. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

export const EXIT = { done: 0, failed: 1, usage: 2, noServer: 3, interrupted: 130 } as const;
