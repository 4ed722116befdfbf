import type { Repositories } from "./git/repositories.ts";
import type { Imports } from "./imports.ts";
import type { Seed } from "./seed.ts";
import type { State } from "./state.ts";
import type { Version } from "./versions.ts";
import type { Webhooks } from "./webhooks/webhooks.ts";

/** The parts of one sandbox that request handlers work with. */
export interface Box {
  readonly state: State;
  readonly version: Version;
  readonly repositories: Repositories;
  readonly webhooks: Webhooks;
  readonly imports: Imports;
  /** Aborts when the sandbox closes. */
  readonly ending: AbortSignal;
  readonly seed: Seed;
  /** GitLab's `external_url`: scheme, host, port and relative root, no trailing slash. */
  readonly url: string;
  /** Where the real `sshd` listens; null when there is none. */
  readonly sshPort: number | null;
}
