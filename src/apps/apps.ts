import type { Secret } from "../kernel/secret.ts";
import type { HookByHand } from "./hook-by-hand.ts";
import type { Repair, Repaired } from "./repair.ts";

export interface EnvironmentView {
  readonly id: string;
  readonly name: string;
  readonly branch: string;
  readonly host: string;
  /** Where people reach it: `http://shop.localhost:8080`. */
  readonly url: string;
  readonly liveReleaseId: string | null;
  readonly liveCommit: string | null;
  readonly wantedCommit: string | null;
}

export interface AppView {
  readonly id: string;
  readonly name: string;
  readonly connection: string;
  readonly project: { readonly id: number; readonly path: string; readonly webUrl: string };
  readonly hook: {
    readonly state: "none" | "creating" | "active" | "polling";
    readonly signed: boolean;
    readonly reason: string | null;
  };
  readonly deployKeyId: number | null;
  readonly build: BuildSettings;
  readonly environments: readonly EnvironmentView[];
  readonly createdAt: Date;
}

/** What a person may fix instead of detection. Every field absent: detected. */
export interface BuildSettings {
  readonly kind?: "static" | "node";
  /** Folder of the repository that is built, relative, without `..`. */
  readonly root?: string;
  readonly install?: readonly string[];
  readonly build?: readonly string[];
  readonly start?: readonly string[];
  /** Folder of a static site, relative to `root`. */
  readonly output?: string;
}

export interface LinkRequest {
  readonly connection: string;
  /** Numeric id or full path. */
  readonly project: string;
  /** Default: the last segment of the project's path, made a host label and unique. */
  readonly name?: string | undefined;
  /** Default: the project's default branch. */
  readonly branch?: string | undefined;
  readonly healthPath?: string | undefined;
  readonly build?: BuildSettings | undefined;
}

/** Something that could not be removed in GitLab, for a person to remove by hand. */
export interface LeftBehind {
  readonly what: "hook" | "deploy_key";
  readonly id: number;
  readonly url: string;
  readonly why: string;
}

export interface Apps {
  /** Reads the project, makes the deploy key and the hook (or says why polling serves), stores the app. What a failure leaves half-made is taken back. */
  link(request: LinkRequest, signal?: AbortSignal): Promise<AppView>;
  /** Removes hook (with the project's last app), deploy key and rows. Idempotent; works when the token is dead. Replicas and routes go first, by `onUnlink`. */
  unlink(name: string, signal?: AbortSignal): Promise<{ readonly left: readonly LeftBehind[] }>;
  list(): Promise<readonly AppView[]>;
  /** By name or id. Throws `NOT_FOUND`. */
  get(nameOrId: string): Promise<AppView>;
  /** What to enter in GitLab to make the webhook by hand. Throws `BAD_REQUEST` where GitLab has no address to call. */
  getHookByHand(app: string): Promise<HookByHand>;
  /** Unlinks every app of the connection and forgets it. */
  disconnect(connection: string, signal?: AbortSignal): Promise<{ readonly left: readonly LeftBehind[] }>;
  /** Webhooks and deploy keys of a connection's projects that are not as they were made. Changes nothing. */
  listRepairs(connection: string, signal?: AbortSignal): Promise<readonly Repair[]>;
  /** Makes them so again; what fails is named. */
  repair(connection: string, signal?: AbortSignal): Promise<readonly Repaired[]>;
  /** What happened to an app, newest first. */
  listEvents(app: string, limit: number): Promise<readonly AppEvent[]>;
}

export interface AppEvent {
  readonly at: Date;
  readonly kind: string;
  readonly text: string;
}

/** Handed in by `main.ts`: stops what runs for an app before its rows go. */
export interface Teardown {
  (environmentId: string, signal?: AbortSignal): Promise<void>;
}

export interface HookSecrets {
  readonly token: Secret;
  readonly signingToken: Secret;
}
