import { sql, type Kysely } from "kysely";

/** What becomes of a connection after it was made: what is wrong with it, what waits for it, when its token gets a successor. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table connection
    add column trouble jsonb,
    add column paused_at timestamptz,
    add column suspect_at timestamptz,
    add column warned_days integer,
    add column rotate_before_days integer check (rotate_before_days between 1 and 90),
    add column rotate_for_days integer not null default 90 check (rotate_for_days between 2 and 400),
    add column rotating_at timestamptz,
    add column rotated_at timestamptz`,
  `create table connection_event (
    id bigserial primary key,
    connection_id text not null references connection (id) on delete cascade,
    at timestamptz not null default now(),
    kind text not null,
    text text not null
  )`,
  `create index event_of_connection on connection_event (connection_id, id desc)`,
];
