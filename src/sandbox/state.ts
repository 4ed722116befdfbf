import { createHash } from "node:crypto";
import type { Clock } from "../kernel/clock.ts";
import type { TokenEnd } from "./control/token-ends.ts";
import { initialKnobs, type FaultKnobs, type Knobs, type Settings } from "./control/knobs.ts";
import type { Token, User } from "./people.ts";
import type { Deployment, Environment, MergeRequest, Note } from "./work-rows.ts";
import type { Group, Project } from "./places.ts";

export type { Group, Project, Protection, Visibility } from "./places.ts";
export type { GranularScope, Resource, Token, User, UserCondition } from "./people.ts";

export const HOOK_EVENTS = [
  "push_events",
  "tag_push_events",
  "merge_requests_events",
  "issues_events",
  "confidential_issues_events",
  "note_events",
  "confidential_note_events",
  "job_events",
  "pipeline_events",
  "wiki_page_events",
  "deployment_events",
  "feature_flag_events",
  "releases_events",
  "milestone_events",
  "emoji_events",
  "resource_access_token_events",
  "vulnerability_events",
  "resource_deploy_token_events",
] as const;
export type HookEvent = (typeof HOOK_EVENTS)[number];

export interface Hook {
  readonly id: number;
  readonly projectId: number;
  readonly createdAt: string;
  url: string;
  name: string | null;
  description: string | null;
  events: ReadonlySet<HookEvent>;
  enableSslVerification: boolean;
  branchFilter: string;
  branchFilterStrategy: "wildcard" | "regex" | "all_branches";
  customTemplate: string | null;
  customHeaders: readonly KeyValue[];
  urlVariables: readonly KeyValue[];
  token: string | null;
  signingToken: string | null;
  /** Failed calls in a row. */
  recentFailures: number;
  /** How often it was set aside since it last worked. */
  backoffCount: number;
  /** Milliseconds since the epoch. */
  disabledUntil: number | null;
  disabledForGood: boolean;
}

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/** GitLab's names of what made a call; `Push Hook` in the header is made of them. */
export type Trigger =
  | "push_hooks"
  | "tag_push_hooks"
  | "merge_request_hooks"
  | "note_hooks"
  | "deployment_hooks"
  | "resource_access_token_hooks";

/** One webhook call as it happened. */
export interface Delivery {
  readonly id: number;
  readonly hookId: number;
  readonly trigger: Trigger;
  readonly url: string;
  /** The same over repeated runs of the job and over resends. */
  readonly idempotencyKey: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly requestBody: string;
  readonly createdAt: string;
  /** `internal error`: no answer at all, `error` says why. `lost`: a fault knob kept it from being sent. */
  responseStatus: number | "internal error" | "lost" | "pending";
  responseHeaders: Readonly<Record<string, string>>;
  responseBody: string;
  error: string | null;
  seconds: number;
}

export interface DeployKey {
  readonly id: number;
  title: string;
  /** As it was sent, trimmed, with its comment. */
  readonly key: string;
  readonly fingerprint: string;
  readonly fingerprintSha256: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly creatorId: number;
  /** Made by an administrator for everybody: any project may enable it, and it outlives its last one. */
  readonly isPublic: boolean;
}

/** A key of a user. Its ids count together with those of deploy keys. */
export interface SshKey {
  readonly id: number;
  readonly userId: number;
  readonly title: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly fingerprintSha256: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly usageType: "auth" | "signing" | "auth_and_signing";
}

export interface DeployKeyLink {
  readonly projectId: number;
  readonly keyId: number;
  canPush: boolean;
}

export const STATUS_STATES = ["pending", "running", "success", "failed", "canceled"] as const;
export type StatusState = (typeof STATUS_STATES)[number] | "skipped";

export interface CommitStatus {
  readonly id: number;
  readonly projectId: number;
  readonly sha: string;
  readonly ref: string;
  readonly name: string;
  readonly authorId: number;
  readonly pipelineId: number;
  readonly createdAt: string;
  state: StatusState;
  targetUrl: string | null;
  description: string | null;
  coverage: number | null;
  startedAt: string | null;
  finishedAt: string | null;
  /** A newer status of the same name took its place. */
  retried: boolean;
}

/**
 * Everything a sandbox knows, in one place: plain rows in maps. What is in git lives in git; a row here never repeats it, except
 * `emptyRepo`, which saves a process per project of a list.
 */
export interface State {
  /** Ahead of the machine's by the knob `clockSkewSeconds`. */
  readonly clock: Clock;
  readonly users: Map<number, User>;
  /** By the digest of the token: a sandbox does not keep tokens either. */
  readonly tokens: Map<string, Token>;
  readonly groups: Map<number, Group>;
  /** Lower-case full path → group. */
  readonly groupsByPath: Map<string, Group>;
  readonly projects: Map<number, Project>;
  /** Lower-case full path → project: paths are found without regard to case. */
  readonly projectsByPath: Map<string, Project>;
  readonly hooks: Map<number, Hook>;
  readonly deliveries: Delivery[];
  /** Lower-case full path that a project once had → its id. */
  readonly formerPaths: Map<string, number>;
  readonly sshKeys: Map<number, SshKey>;
  readonly deployKeys: Map<number, DeployKey>;
  readonly deployKeyLinks: Set<DeployKeyLink>;
  readonly statuses: Map<number, CommitStatus>;
  /** `<project id> <sha> <ref>` → id of the external pipeline. */
  readonly pipelines: Map<string, number>;
  readonly mergeRequests: Map<number, MergeRequest>;
  readonly notes: Map<number, Note>;
  readonly environments: Map<number, Environment>;
  readonly deployments: Map<number, Deployment>;
  /** Token id → how it will end while it is used. */
  readonly tokenEnds: Map<number, TokenEnd>;
  /** The knobs that a reset goes back to. */
  start: Knobs;
  /** What goes wrong. Change the fields; the next request sees it. */
  readonly faults: FaultKnobs;
  /** Admin settings that this sandbox knows. */
  readonly settings: Settings;
  /** What `PUT /application/settings` changed and nothing in this sandbox looks at. */
  readonly otherSettings: Map<string, unknown>;
  /** Requests per limit, user and period. */
  readonly requestCounts: Map<string, number>;
  /** Ids count up per kind from 1, as in GitLab. */
  nextId(kind: string): number;
  /** Now, as GitLab writes it. */
  now(): string;
}

export function createState(machineClock: Clock): State {
  const counters = new Map<string, number>();
  const knobs = initialKnobs();
  const clock: Clock = { now: () => machineClock.now() + knobs.faults.clockSkewSeconds * 1000 };
  return {
    clock,
    users: new Map(),
    tokens: new Map(),
    groups: new Map(),
    groupsByPath: new Map(),
    projects: new Map(),
    projectsByPath: new Map(),
    hooks: new Map(),
    deliveries: [],
    formerPaths: new Map(),
    sshKeys: new Map(),
    deployKeys: new Map(),
    deployKeyLinks: new Set(),
    statuses: new Map(),
    pipelines: new Map(),
    mergeRequests: new Map(),
    notes: new Map(),
    environments: new Map(),
    deployments: new Map(),
    tokenEnds: new Map(),
    start: structuredClone(knobs),
    ...knobs,
    otherSettings: new Map(),
    requestCounts: new Map(),
    nextId: (kind) => {
      const next = (counters.get(kind) ?? 0) + 1;
      counters.set(kind, next);
      return next;
    },
    now: () => new Date(clock.now()).toISOString(),
  };
}

export function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
