import { sql, type Kysely } from "kysely";

/** Written SQL, forward only, never edited once released. Ids are text made by `kernel/ids.ts`; times are timestamptz. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table setting (
    key text primary key,
    value jsonb not null
  )`,
  `create table api_token (
    id text primary key,
    name text not null,
    hash text not null unique,
    created_at timestamptz not null default now(),
    last_used_at timestamptz
  )`,
  `create table connection (
    id text primary key,
    name text not null unique,
    base_url text not null,
    web_url text not null,
    version text,
    edition text,
    ca text,
    token bytea not null,
    token_kind text not null,
    token_name text,
    token_scopes text[] not null,
    token_scopes_known_by text not null,
    token_expires_at date,
    user_id bigint,
    username text,
    created_at timestamptz not null default now(),
    checked_at timestamptz not null default now()
  )`,
  `create table linked_project (
    id text primary key,
    connection_id text not null references connection (id),
    project_id bigint not null,
    path text not null,
    web_url text not null,
    http_url text not null,
    ssh_url text not null,
    default_branch text,
    hook_path text not null unique,
    hook_id bigint,
    hook_secret bytea not null,
    hook_signing_key bytea not null,
    hook_signed boolean not null default false,
    hook_state text not null check (hook_state in ('none', 'creating', 'active', 'polling')),
    hook_reason text,
    bad_secret_count bigint not null default 0,
    created_at timestamptz not null default now(),
    unique (connection_id, project_id)
  )`,
  `create table app (
    id text primary key,
    name text not null unique,
    linked_project_id text not null references linked_project (id),
    deploy_key_id bigint,
    deploy_key_public text,
    deploy_key_private bytea,
    build jsonb not null default '{}',
    created_at timestamptz not null default now(),
    removing_at timestamptz
  )`,
  `create table environment (
    id text primary key,
    app_id text not null references app (id) on delete cascade,
    name text not null,
    branch text not null,
    host text not null unique,
    health_path text,
    wanted_commit text,
    live_release_id text,
    created_at timestamptz not null default now(),
    unique (app_id, name)
  )`,
  `create table delivery (
    id text primary key,
    linked_project_id text not null references linked_project (id) on delete cascade,
    received_at timestamptz not null default now(),
    event text not null,
    dedupe_key text,
    headers jsonb not null,
    payload jsonb not null,
    body_bytes integer not null,
    state text not null default 'received' check (state in ('received', 'processed')),
    verdict text check (verdict in ('deployed', 'ignored', 'failed')),
    reason text,
    trace jsonb not null default '[]',
    tries integer not null default 0,
    not_before timestamptz not null default now(),
    processed_at timestamptz
  )`,
  `create index delivery_waiting on delivery (not_before) where state = 'received'`,
  `create index delivery_of_project on delivery (linked_project_id, received_at desc)`,
  `create index delivery_dedupe on delivery (linked_project_id, dedupe_key) where dedupe_key is not null`,
  `create index delivery_age on delivery (received_at)`,
  `create sequence deployment_number`,
  `create table deployment (
    id text primary key,
    number bigint not null unique default nextval('deployment_number'),
    environment_id text not null references environment (id) on delete cascade,
    commit_sha text not null,
    ref text not null,
    title text,
    author text,
    cause text not null check (cause in ('push', 'manual', 'redeploy', 'rollback', 'restart')),
    delivery_id text references delivery (id) on delete set null,
    release_id text,
    state text not null default 'queued' check (state in
      ('queued', 'checking_out', 'building', 'starting', 'verifying', 'switching', 'draining', 'live', 'failed', 'cancelled', 'superseded')),
    attempt integer not null default 0,
    generation bigint,
    worker_id text,
    heartbeat_at timestamptz,
    cancel_requested_at timestamptz,
    fault jsonb,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz
  )`,
  `create index deployment_of_environment on deployment (environment_id, number desc)`,
  `create index deployment_open on deployment (environment_id) where finished_at is null`,
  `create unique index deployment_one_running on deployment (environment_id)
    where state in ('checking_out', 'building', 'starting', 'verifying', 'switching', 'draining')`,
  `create table deployment_step (
    deployment_id text not null references deployment (id) on delete cascade,
    attempt integer not null,
    name text not null,
    state text not null check (state in ('running', 'done', 'failed')),
    detail jsonb not null default '{}',
    started_at timestamptz not null default now(),
    finished_at timestamptz,
    primary key (deployment_id, attempt, name)
  )`,
  `create table release (
    id text primary key,
    environment_id text not null references environment (id) on delete cascade,
    deployment_id text not null,
    commit_sha text not null,
    kind text not null,
    directory text not null,
    command jsonb not null,
    health_path text,
    state text not null default 'building' check (state in ('building', 'ready', 'removing')),
    created_at timestamptz not null default now()
  )`,
  `create index release_of_environment on release (environment_id, created_at desc)`,
  `create table replica (
    id text primary key,
    environment_id text not null,
    release_id text not null,
    deployment_id text not null,
    attempt integer not null,
    port integer,
    state text not null default 'starting' check (state in ('starting', 'serving', 'stopping', 'stopped')),
    created_at timestamptz not null default now(),
    stopped_at timestamptz
  )`,
  `create index replica_open on replica (environment_id) where state <> 'stopped'`,
  `create sequence route_generation`,
  `create table route (
    host text primary key,
    environment_id text not null references environment (id) on delete cascade,
    release_id text not null,
    targets jsonb not null,
    generation bigint not null,
    updated_at timestamptz not null default now()
  )`,
  `create table outbox (
    id bigserial primary key,
    connection_id text not null references connection (id) on delete cascade,
    project_id bigint not null,
    kind text not null check (kind in ('commit_status')),
    order_key text not null,
    payload jsonb not null,
    state text not null default 'pending' check (state in ('pending', 'sent', 'failed')),
    tries integer not null default 0,
    not_before timestamptz not null default now(),
    fault jsonb,
    created_at timestamptz not null default now(),
    sent_at timestamptz
  )`,
  `create index outbox_waiting on outbox (order_key, id) where state = 'pending'`,
  `create table event (
    id bigserial primary key,
    app_id text not null references app (id) on delete cascade,
    at timestamptz not null default now(),
    kind text not null,
    text text not null,
    data jsonb not null default '{}'
  )`,
  `create index event_of_app on event (app_id, id desc)`,
  `create table log_chunk (
    deployment_id text not null references deployment (id) on delete cascade,
    seq integer not null,
    at timestamptz not null default now(),
    text text not null,
    primary key (deployment_id, seq)
  )`,
];
