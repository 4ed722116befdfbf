import { Fault } from "../faults/fault.ts";
import type { GitLab, GitLabOptions, InstanceInfo, TokenInfo, UserInfo } from "../gitlab/gitlab.ts";
import type { InstanceUrl } from "../gitlab/url.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Secret } from "../kernel/secret.ts";
import type { Asked } from "./ask.ts";
import type { Check } from "./diagnosis.ts";
import type { Observations } from "./observations.ts";

/** One run of the doctor: what was asked for, and what its checks have learnt so far. Lives as long as the run. */
export interface Visit {
  readonly url: string;
  readonly token: Secret;
  readonly ca: string | undefined;
  readonly clock: Clock;
  readonly createGitLab: (options: GitLabOptions) => GitLab;
  readonly observations: Observations | null;
  readonly learnt: Learnt;
  /** Trouble that one check met and that is another check's to tell, by that one's id. */
  readonly postponed: Map<string, Fault>;
}

export interface Learnt {
  base: InstanceUrl | null;
  gitlab: GitLab | null;
  /** From the moment on at which GitLab has proved to be GitLab. */
  asked: Asked | null;
  instance: InstanceInfo | null;
  /** null: not asked, or this GitLab does not say. */
  token: TokenInfo | null;
  user: UserInfo | null;
  /** The scopes as far as they are known, and by what. */
  scopes: { readonly names: readonly string[]; readonly by: "self" | "probe" } | null;
}

export interface Outcome {
  readonly state: "ok" | "warn" | "unknown" | "skip";
  readonly title: string;
  readonly evidence?: string;
  readonly source?: Check["evidenceSource"];
  readonly fix?: string;
}

/** One check. A thrown Fault is a failure, and the end of the run: what comes later would only fail for the same cause. */
export interface CheckDefinition {
  /** Never changes its meaning. */
  readonly id: string;
  /** What it looks at, for when it is not reached. */
  readonly about: string;
  readonly run: (visit: Visit, signal: AbortSignal) => Promise<Outcome> | Outcome;
}

/** What an earlier check must have left behind. */
export function need<T>(value: T | null, what: string): T {
  if (value === null) throw Fault.of("INTERNAL", "", { message: `A check ran without ${what}` });
  return value;
}
