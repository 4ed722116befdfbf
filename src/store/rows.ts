import type { ColumnType } from "kysely";

/**
 * The tables as Kysely sees them. Written by `npm run store:types` from the migrated schema; a test holds it to that.
 * bigint is read as a JavaScript number (all are counters and GitLab ids, far below 2^53), date as `YYYY-MM-DD`, jsonb is parsed.
 */
type Timestamp = ColumnType<Date, Date | string, Date | string>;
/** Like Kysely's, but also for columns whose reading and writing types differ. */
type Generated<T> =
  T extends ColumnType<infer Read, infer Insert, infer Update>
    ? ColumnType<Read, Insert | undefined, Update>
    : ColumnType<T, T | undefined, T>;
type Json = ColumnType<unknown, string, string>;

export interface Database {
  api_token: ApiTokenTable;
  app: AppTable;
  connection: ConnectionTable;
  connection_event: ConnectionEventTable;
  delivery: DeliveryTable;
  deployment: DeploymentTable;
  deployment_step: DeploymentStepTable;
  environment: EnvironmentTable;
  event: EventTable;
  linked_project: LinkedProjectTable;
  log_chunk: LogChunkTable;
  outbox: OutboxTable;
  release: ReleaseTable;
  replica: ReplicaTable;
  route: RouteTable;
  setting: SettingTable;
}

export interface ApiTokenTable {
  created_at: Generated<Timestamp>;
  hash: string;
  id: string;
  last_used_at: Timestamp | null;
  name: string;
}

export interface AppTable {
  build: Generated<Json>;
  created_at: Generated<Timestamp>;
  deploy_key_id: number | null;
  deploy_key_private: Buffer | null;
  deploy_key_public: string | null;
  id: string;
  linked_project_id: string;
  name: string;
  removing_at: Timestamp | null;
}

export interface ConnectionTable {
  base_url: string;
  ca: string | null;
  checked_at: Generated<Timestamp>;
  created_at: Generated<Timestamp>;
  edition: string | null;
  id: string;
  name: string;
  network: Buffer | null;
  paused_at: Timestamp | null;
  reached_by: Generated<string[]>;
  rotate_before_days: number | null;
  rotate_for_days: Generated<number>;
  rotated_at: Timestamp | null;
  rotating_at: Timestamp | null;
  suspect_at: Timestamp | null;
  token: Buffer;
  token_expires_at: string | null;
  token_kind: string;
  token_name: string | null;
  token_scopes: string[];
  token_scopes_known_by: string;
  trouble: Json | null;
  user_id: number | null;
  username: string | null;
  version: string | null;
  warned_days: number | null;
  web_url: string;
}

export interface ConnectionEventTable {
  at: Generated<Timestamp>;
  connection_id: string;
  id: Generated<number>;
  kind: string;
  text: string;
}

export interface DeliveryTable {
  body_bytes: number;
  dedupe_key: string | null;
  event: string;
  headers: Json;
  id: string;
  linked_project_id: string;
  not_before: Generated<Timestamp>;
  payload: Json;
  processed_at: Timestamp | null;
  reason: string | null;
  received_at: Generated<Timestamp>;
  state: Generated<"received" | "processed">;
  trace: Generated<Json>;
  tries: Generated<number>;
  verdict: "deployed" | "ignored" | "failed" | null;
}

export interface DeploymentTable {
  attempt: Generated<number>;
  author: string | null;
  cancel_requested_at: Timestamp | null;
  cause: "push" | "manual" | "redeploy" | "rollback" | "restart";
  commit_sha: string;
  created_at: Generated<Timestamp>;
  delivery_id: string | null;
  environment_id: string;
  fault: Json | null;
  finished_at: Timestamp | null;
  generation: number | null;
  heartbeat_at: Timestamp | null;
  id: string;
  number: Generated<number>;
  ref: string;
  release_id: string | null;
  started_at: Timestamp | null;
  state: Generated<
    | "queued"
    | "checking_out"
    | "building"
    | "starting"
    | "verifying"
    | "switching"
    | "draining"
    | "live"
    | "failed"
    | "cancelled"
    | "superseded"
  >;
  title: string | null;
  worker_id: string | null;
}

export interface DeploymentStepTable {
  attempt: number;
  deployment_id: string;
  detail: Generated<Json>;
  finished_at: Timestamp | null;
  name: string;
  started_at: Generated<Timestamp>;
  state: "running" | "done" | "failed";
}

export interface EnvironmentTable {
  app_id: string;
  branch: string;
  created_at: Generated<Timestamp>;
  health_path: string | null;
  host: string;
  id: string;
  live_release_id: string | null;
  name: string;
  wanted_commit: string | null;
}

export interface EventTable {
  app_id: string;
  at: Generated<Timestamp>;
  data: Generated<Json>;
  id: Generated<number>;
  kind: string;
  text: string;
}

export interface LinkedProjectTable {
  bad_secret_count: Generated<number>;
  connection_id: string;
  created_at: Generated<Timestamp>;
  default_branch: string | null;
  hook_id: number | null;
  hook_path: string;
  hook_reason: string | null;
  hook_secret: Buffer;
  hook_signed: Generated<boolean>;
  hook_signing_key: Buffer;
  hook_state: "none" | "creating" | "active" | "polling";
  hook_suspect_at: Timestamp | null;
  http_url: string;
  id: string;
  path: string;
  project_id: number;
  ssh_url: string;
  web_url: string;
}

export interface LogChunkTable {
  at: Generated<Timestamp>;
  deployment_id: string;
  seq: number;
  text: string;
}

export interface OutboxTable {
  connection_id: string;
  created_at: Generated<Timestamp>;
  fault: Json | null;
  id: Generated<number>;
  kind: "commit_status";
  not_before: Generated<Timestamp>;
  order_key: string;
  payload: Json;
  project_id: number;
  sent_at: Timestamp | null;
  state: Generated<"pending" | "sent" | "failed">;
  tries: Generated<number>;
}

export interface ReleaseTable {
  command: Json;
  commit_sha: string;
  created_at: Generated<Timestamp>;
  deployment_id: string;
  directory: string;
  environment_id: string;
  health_path: string | null;
  id: string;
  kind: string;
  state: Generated<"building" | "ready" | "removing">;
}

export interface ReplicaTable {
  attempt: number;
  created_at: Generated<Timestamp>;
  deployment_id: string;
  environment_id: string;
  id: string;
  port: number | null;
  release_id: string;
  state: Generated<"starting" | "serving" | "stopping" | "stopped">;
  stopped_at: Timestamp | null;
}

export interface RouteTable {
  environment_id: string;
  generation: number;
  host: string;
  release_id: string;
  targets: Json;
  updated_at: Generated<Timestamp>;
}

export interface SettingTable {
  key: string;
  value: Json;
}
