import { Fault } from "../faults/fault.ts";
import type {
  GitLab,
  GitLabOptions,
  Hook,
  InstanceInfo,
  Project,
  TokenInfo,
  UserInfo,
} from "../gitlab/gitlab.ts";
import type { Network } from "../gitlab/network.ts";
import type { InstanceUrl } from "../gitlab/url.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Secret } from "../kernel/secret.ts";
import type { GitTools } from "../source/git.ts";
import type { Asked } from "./ask.ts";
import type { Check } from "./diagnosis.ts";
import type { Observations, ProjectSeen } from "./observations.ts";

/** One run of the doctor: what was asked for, and what its checks have learnt so far. Lives as long as the run. */
export interface Visit {
  readonly url: string;
  readonly token: Secret;
  readonly network: Network;
  readonly clock: Clock;
  readonly createGitLab: (options: GitLabOptions) => GitLab;
  readonly observations: Observations | null;
  readonly wishes: Wishes;
  readonly learnt: Learnt;
  /** Trouble that one check met and that is another check's to tell, by that one's id. */
  readonly postponed: Map<string, Fault>;
  /** Of a visit that looks at one project: what it has found there. */
  readonly here?: Here;
}

export interface Here {
  project: Project | null;
  hooks: readonly Hook[] | null;
  /** Our webhook. */
  ours: Hook | null;
}

/** What else is to be looked at, besides the connection itself. */
export interface Wishes {
  /** Tries what GitLab writes into its logs, too: lets it call the webhook. */
  readonly probe: boolean;
  /** How GitLab reaches Fairlead; null: it does not; undefined: not known here. */
  readonly publicUrl: string | null | undefined;
  /** Looks at git over SSH, and compares the host key with a fingerprint (`SHA256:…`) where one is given. */
  readonly ssh: { readonly fingerprint: string | null } | null;
  /** `PATH` of git and ssh. */
  readonly searchPath: string;
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
  /** null: not looked for, or missing. */
  git: GitTools | null;
}

/** A project to look at, by id or full path. */
export interface ProjectTarget {
  readonly project: number | string;
  /** null: it is not linked, or nobody here knows. */
  readonly seen: ProjectSeen | null;
}

/** The part of a visit that looks at one project. */
export interface ProjectVisit extends Visit {
  readonly target: ProjectTarget;
  readonly here: Here;
}

export interface Outcome {
  readonly state: "ok" | "warn" | "unknown" | "skip";
  readonly title: string;
  readonly evidence?: string;
  readonly source?: Check["evidenceSource"];
  readonly fix?: string;
}

/** One check. A thrown Fault is a failure, and the end of the run: what comes later would only fail for the same cause. */
export interface CheckDefinition<V extends Visit = Visit> {
  /** Never changes its meaning. */
  readonly id: string;
  /** What it looks at, for when it is not reached. */
  readonly about: string;
  readonly run: (visit: V, signal: AbortSignal) => Promise<Outcome> | Outcome;
}

/** One check, or several that do not depend on each other and run at once. */
export type Step<V extends Visit = Visit> = CheckDefinition<V> | readonly CheckDefinition<V>[];

/** What an earlier check must have left behind. */
export function need<T>(value: T | null, what: string): T {
  if (value === null) throw Fault.of("INTERNAL", "", { message: `A check ran without ${what}` });
  return value;
}
