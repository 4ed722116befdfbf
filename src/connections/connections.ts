import type { GitLab } from "../gitlab/gitlab.ts";
import type { Network } from "../gitlab/network.ts";
import type { Diagnosis } from "../doctor/diagnosis.ts";
import type { Fault } from "../faults/fault.ts";
import type { Secret } from "../kernel/secret.ts";
import type { Reconnect, Reconnected } from "./reconnect.ts";
import type { Trouble } from "./trouble.ts";

/** A stored connection as people may see it: everything but the token. */
export interface ConnectionView {
  readonly id: string;
  readonly name: string;
  readonly baseUrl: string;
  readonly webUrl: string;
  readonly version: string | null;
  readonly edition: string | null;
  /** What was given to reach it by, never its values: `ca`, `proxy`, `no proxy`, `client certificate`, `headers`. */
  readonly reachedBy: readonly string[];
  readonly tokenKind: string;
  readonly tokenName: string | null;
  readonly tokenScopes: readonly string[];
  /** `self`: GitLab says so; `probe`: found out, and then its end is not known either. */
  readonly tokenScopesKnownBy: string;
  readonly tokenExpiresAt: string | null;
  readonly username: string | null;
  readonly createdAt: Date;
  readonly checkedAt: Date;
  /** The first broken layer of the last look; null: sound. */
  readonly trouble: Trouble | null;
  /** Since when deployments from source and webhook calls wait, because only a person can mend the trouble. */
  readonly pausedAt: Date | null;
  /** The policy: so many days before its end the token gets a successor; null: only on request. */
  readonly rotateBeforeDays: number | null;
  readonly rotateForDays: number;
}

export interface ConnectionEvent {
  readonly at: Date;
  readonly kind: string;
  readonly text: string;
}

export interface ConnectRequest {
  readonly url: string;
  readonly token: Secret;
  /** Default: the host name of the URL, made unique. */
  readonly name?: string | undefined;
  readonly network?: Network | undefined;
}

/** A connection ready for use. The token may go to `gitlab.origin` and to the clone URLs of that origin, nowhere else. */
export interface OpenConnection {
  readonly id: string;
  readonly name: string;
  readonly gitlab: GitLab;
  readonly token: Secret;
  readonly network: Network;
  readonly webUrl: string;
}

export interface Connections {
  /** Diagnoses first and stores only what works: throws the Fault of the first broken layer, with nothing stored. `CONFLICT` when the name is taken. */
  connect(
    request: ConnectRequest,
    signal?: AbortSignal,
  ): Promise<{ connection: ConnectionView; diagnosis: Diagnosis }>;
  list(): Promise<readonly ConnectionView[]>;
  /** By name or id. Throws `NOT_FOUND`. */
  get(nameOrId: string): Promise<ConnectionView>;
  /** Opened once and kept until the connection changes. Throws `NOT_FOUND`, `KEY_UNUSABLE`. */
  open(id: string): Promise<OpenConnection>;
  /**
   * A call through it failed. If only a person can mend why, everything that needs the token waits from now on, and the doctor looks at once. Returns
   * whether it waits.
   */
  suspect(id: string, fault: Fault): Promise<boolean>;
  /** Gives it another token, apps untouched. Throws what is wrong with the token, and then nothing has changed. */
  reconnect(
    nameOrId: string,
    wish: Reconnect,
    signal?: AbortSignal,
  ): Promise<Reconnected & { readonly connection: ConnectionView }>;
  /** Replaces the token by a successor that lives for `days`. Throws `CONFLICT` while one is under way, `BAD_REQUEST` where GitLab cannot (before 16.0). */
  rotate(nameOrId: string, days: number): Promise<ConnectionView>;
  /** Rotate so many days before the end, for so many days; null switches it off. */
  setRotation(
    nameOrId: string,
    policy: { readonly beforeDays: number; readonly forDays: number } | null,
  ): Promise<ConnectionView>;
  /** What happened to it, newest first. */
  listEvents(nameOrId: string, limit: number): Promise<readonly ConnectionEvent[]>;
  /** Forgets the connection and its token. Throws `CONFLICT` (in_use) while projects are linked: `apps/disconnect.ts` unlinks first. */
  forget(id: string): Promise<void>;
}
