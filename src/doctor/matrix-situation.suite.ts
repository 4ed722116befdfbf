import type { Scene } from "../sandbox/scene.suite.ts";

/** What one cell of the matrix looks at, prepared in a sandbox that it shares with others. */
export interface Situation {
  readonly name: string;
  /** First version that has it, and the first that has it no more. */
  readonly since?: string;
  readonly before?: string;
  /** `ok`, or code and reason; by version where GitLab itself answers differently. */
  readonly expected: string | ((version: number) => string);
  /** Returns the token. */
  readonly prepare: (scene: Scene, unique: string) => Promise<string> | string;
  /** To be looked at besides. */
  readonly project?: string | undefined;
}

export const MISSING_API = "INSUFFICIENT_SCOPES missing_api";
export const ROLE = "INSUFFICIENT_ROLE";

export const at = (version: string): number => {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major * 1000 + minor;
};
export const selfTells = (version: number): boolean => version >= at("15.5");
