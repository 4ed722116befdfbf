import type { GitLab } from "../gitlab/gitlab.ts";
import type { Network } from "../gitlab/network.ts";
import type { Diagnosis } from "../doctor/diagnosis.ts";
import type { Secret } from "../kernel/secret.ts";

/** A stored connection as people may see it: everything but the token. */
export interface ConnectionView {
  readonly id: string;
  readonly name: string;
  readonly baseUrl: string;
  readonly webUrl: string;
  readonly version: string | null;
  readonly edition: string | null;
  readonly tokenKind: string;
  readonly tokenName: string | null;
  readonly tokenScopes: readonly string[];
  readonly tokenExpiresAt: string | null;
  readonly username: string | null;
  readonly createdAt: Date;
  readonly checkedAt: Date;
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
  /** Forgets the connection and its token. Throws `CONFLICT` (in_use) while projects are linked: `apps/disconnect.ts` unlinks first. */
  forget(id: string): Promise<void>;
}
