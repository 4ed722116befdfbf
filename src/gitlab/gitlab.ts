import type { Secret } from "../kernel/secret.ts";
import type { Browse } from "./browse.ts";
import type { Network } from "./network.ts";
import type { TokenLife } from "./rotation.ts";

/**
 * What Fairlead asks of a GitLab instance. Every method takes an optional signal and throws Faults only: reaching, token and project codes
 * of `faults/codes.ts`, classified from GitLab's answers in `gitlab/classify.ts`. Ids are GitLab's numeric ids.
 */
export interface GitLabOptions extends Network {
  /** Scheme, host, port and sub-path; without `/api/v4` and without trailing slash. */
  readonly baseUrl: string;
  readonly token: Secret;
  readonly userAgent?: string;
}

export interface Call {
  readonly signal?: AbortSignal;
}

export interface InstanceInfo {
  /** `18.9.0`, without `-ee`; null when the token may not read it. */
  readonly version: string | null;
  readonly edition: "ce" | "ee" | "unknown";
  /** How far GitLab's clock is ahead of ours, in whole seconds, by its `Date` header; absent when it sent none. */
  readonly skewSeconds?: number;
  /** As announced with the answer: GitLab 18.6 and later, where an administrator has set a limit. */
  readonly rateLimit?: { readonly limit: number; readonly remaining: number };
}

export interface TokenInfo {
  /** null: GitLab did not say. */
  readonly id: number | null;
  readonly name: string;
  readonly scopes: readonly string[];
  /** `YYYY-MM-DD`, the token is dead on that day from 00:00 UTC. */
  readonly expiresAt: string | null;
  readonly userId: number;
}

export interface UserInfo {
  readonly id: number;
  readonly username: string;
  readonly bot: boolean;
  readonly admin: boolean;
  /** The user's page as GitLab links to it: begins with the address by which browsers reach this GitLab. */
  readonly webUrl?: string | null;
}

export interface Project {
  readonly id: number;
  readonly path: string;
  readonly webUrl: string;
  readonly httpUrl: string;
  readonly sshUrl: string;
  readonly defaultBranch: string | null;
  readonly archived: boolean;
  readonly emptyRepo: boolean;
  readonly pendingDeletion: boolean;
  readonly repositoryDisabled: boolean;
  /** The token's access level as far as `permissions` tells; null when it does not. */
  readonly accessLevel: number | null;
}

export interface Commit {
  readonly sha: string;
  readonly title: string;
  readonly message: string;
  readonly authorName: string;
  readonly committedAt: string;
}

export interface Branch {
  readonly name: string;
  readonly commit: Commit;
}

export interface Hook {
  readonly id: number;
  readonly url: string;
  readonly pushEvents: boolean;
  readonly tagPushEvents: boolean;
  readonly mergeRequestsEvents: boolean;
  readonly branchFilter: string | null;
  readonly verifiesTls: boolean;
  /** `executable`, `temporarily_disabled`, `disabled`, or `unknown` (before 15.0). */
  readonly alertStatus: string;
  /** null: this version does not say (before 19.0). */
  readonly tokenPresent: boolean | null;
  /** null: this version does not say (before 19.0). */
  readonly signingTokenPresent: boolean | null;
}

export interface HookSettings {
  readonly url: string;
  readonly token: Secret;
  /** `whsec_` and base64 of 32 bytes. Ignored silently by GitLab before 19.0. */
  readonly signingToken: Secret;
  readonly name: string;
}

export interface DeployKey {
  readonly id: number;
  readonly title: string;
  /** Type and base64 only: GitLab may mask or drop the comment. */
  readonly key: string;
  readonly canPush: boolean;
}

export type StatusState = "pending" | "running" | "success" | "failed" | "canceled";

export interface CommitStatus {
  readonly state: StatusState;
  readonly ref: string;
  readonly name: string;
  readonly targetUrl: string | null;
  readonly description: string;
}

export interface Comparison {
  /** Old and new paths of every changed file; null when GitLab cut the list off (too many changes, time-out). */
  readonly changedPaths: readonly string[] | null;
  readonly commits: readonly Commit[];
}

/** One permission of a fine-grained token in one project, as far as a probe can tell. */
export interface Permission {
  /** As GitLab's form for such tokens names it: `webhook: create`. */
  readonly name: string;
  readonly state: "granted" | "lacking" | "unknown";
}

/** One line of GitLab's own log of a webhook's calls. */
export interface HookEvent {
  readonly id: number;
  /** What the receiver answered, `200`, or `internal error`: no answer at all. */
  readonly status: string;
  readonly seconds: number | null;
  readonly idempotencyKey: string | null;
}

/** What an administrator has set, as far as it matters here; null: this version does not have it. */
export interface InstanceSettings {
  readonly importsByUrl: boolean | null;
  readonly allowsLocalHooks: boolean | null;
  readonly allowList: readonly string[];
  readonly deniesAllButList: boolean;
  /** `ssh`, `http`, or empty for both. */
  readonly gitProtocol: string;
  readonly pushHooksLimit: number | null;
  readonly silent: boolean;
  readonly maintenance: boolean;
}

export interface GitLab extends AsyncDisposable, Browse, TokenLife {
  readonly baseUrl: string;
  /** Scheme, host and port: the only place the token is ever sent to. */
  readonly origin: string;

  instance(call?: Call): Promise<InstanceInfo>;
  /** null where `self` does not exist or does not tell the truth (before 15.5): probe then. */
  findToken(call?: Call): Promise<TokenInfo | null>;
  getUser(call?: Call): Promise<UserInfo>;
  /** `POST /projects` with `{}`: returns when the token has `api`, throws `INSUFFICIENT_SCOPES` and the token codes otherwise. Creates nothing. */
  probeApiScope(call?: Call): Promise<void>;

  /** By id or by full path. */
  getProject(project: number | string, call?: Call): Promise<Project>;
  /**
   * null when there is no such branch. Not served from GitLab's branch-list cache, save where a proxy decodes `%2F` and the name has a slash:
   * there is no other way to ask then.
   */
  findBranch(projectId: number, name: string, call?: Call): Promise<Branch | null>;
  /** Accepts a sha, a branch or a tag name; null when absent. */
  findCommit(projectId: number, ref: string, call?: Call): Promise<Commit | null>;
  compare(projectId: number, from: string, to: string, call?: Call): Promise<Comparison>;

  listHooks(projectId: number, call?: Call): Promise<readonly Hook[]>;
  /** Never retried. After an unclear failure the caller looks with `listHooks` whether it was made. */
  createHook(projectId: number, settings: HookSettings, call?: Call): Promise<Hook>;
  /** Sends url and tokens together: GitLab clears the token when the url changes alone. */
  updateHook(projectId: number, hookId: number, settings: HookSettings, call?: Call): Promise<Hook>;
  /** False: it was gone already. */
  deleteHook(projectId: number, hookId: number, call?: Call): Promise<boolean>;

  listDeployKeys(projectId: number, call?: Call): Promise<readonly DeployKey[]>;
  /** Read-only. Idempotent on GitLab's side for the identical key string. */
  createDeployKey(projectId: number, title: string, publicKey: string, call?: Call): Promise<DeployKey>;
  deleteDeployKey(projectId: number, keyId: number, call?: Call): Promise<boolean>;

  /** Returns normally when GitLab says that the status is in that state already. */
  setCommitStatus(projectId: number, sha: string, status: CommitStatus, call?: Call): Promise<void>;

  /** Tries what linking needs of a fine-grained token in this project, by requests that change nothing. Never throws. */
  probePermissions(projectId: number, call?: Call): Promise<readonly Permission[]>;
  /** The newest twenty calls of the last seven days; null before 17.3, which keeps them to itself. */
  findHookEvents(projectId: number, hookId: number, call?: Call): Promise<readonly HookEvent[] | null>;
  /**
   * Lets GitLab call the hook now, with a real push as sample; GitLab logs it. False before 16.11, which cannot. Throws `HOOK_UNREACHABLE`,
   * `HOOK_URL_REFUSED`, `HOOKS_SILENCED`, `RATE_LIMITED`.
   */
  testHook(projectId: number, hookId: number, call?: Call): Promise<boolean>;
  /** null: the token's user is no administrator, or the token lacks `admin_mode`. */
  findSettings(call?: Call): Promise<InstanceSettings | null>;
  /** null: no such branch. `canPush` is null where GitLab does not say. */
  findBranchRules(
    projectId: number,
    name: string,
    call?: Call,
  ): Promise<{ readonly protected: boolean; readonly canPush: boolean | null } | null>;
}
