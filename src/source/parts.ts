import { createHash } from "node:crypto";
import type { Git } from "./git.ts";
import type { Mirror } from "./mirror.ts";
import type { Turns } from "./turns.ts";

/** What a logger must be able to do; a pino logger can. */
export interface SourceLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

/** What the steps of a checkout share. */
export interface SourceParts {
  readonly git: Git;
  readonly log: SourceLog | null;
  readonly turns: Turns;
  readonly caFolder: string;
  mirrorOf(key: string): Mirror;
  /** The folder of a workspace's index, claims and lock: beside it, so that it goes with whatever holds the workspace. */
  stateOf(workspace: string): string;
}

/** A file name that no two keys share and that says whose mirror it is. */
export function mirrorName(key: string): string {
  const readable = key.replace(/[^A-Za-z0-9_-]+/g, "-").slice(0, 60);
  return `${readable}-${hash(key).slice(0, 16)}`;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
