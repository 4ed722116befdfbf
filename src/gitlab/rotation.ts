import type { Secret } from "../kernel/secret.ts";
import type { Call } from "./gitlab.ts";

export interface RotateRequest {
  /** `self` from 16.9 on; the token's id from 16.0 to 16.8. */
  readonly token: "self" | number;
  /** `YYYY-MM-DD`. Always said: without it GitLab gives a week, or no end at all. 16.0 to 16.5 ignore it. */
  readonly expiresAt: string;
}

export interface Rotated {
  readonly token: Secret;
  /** As GitLab says, which may differ from what was asked. */
  readonly expiresAt: string | null;
}

/** What a token reaches: GitLab 17.4 and later. */
export interface Associations {
  readonly groups: readonly { readonly id: number; readonly name: string }[];
  readonly projects: readonly { readonly id: number; readonly path: string }[];
  /** There are more than these. */
  readonly truncated: boolean;
}

export interface TokenLife {
  /**
   * Makes a successor of the token; this one is dead when it returns. Never retried: GitLab takes a second call with the dead token for theft and
   * revokes the successor too. After an unclear failure only the new token's `self` tells. Throws `BAD_REQUEST` for a date GitLab refuses.
   */
  rotateToken(request: RotateRequest, call?: Call): Promise<Rotated>;
  /** The first hundred groups and projects; null where this GitLab does not say. */
  findAssociations(minAccessLevel: number, call?: Call): Promise<Associations | null>;
  /**
   * Whether git over HTTP lets the token read or push, asked at a repository that cannot exist: nothing is made. False: the token's scopes lack it.
   * Throws `GIT_AUTH_FAILED`, `GIT_PROTOCOL_DISABLED`, and the reaching and account codes.
   */
  probeGit(access: "read" | "push", call?: Call): Promise<boolean>;
}
