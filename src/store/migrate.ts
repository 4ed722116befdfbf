import { sql } from "kysely";
import { Migrator, type Migration } from "kysely/migration";
import { Fault } from "../faults/fault.ts";
import { up as spine } from "./migrations/0001-spine.ts";
import { up as connectionNetwork } from "./migrations/0002-connection-network.ts";
import { up as connectionLife } from "./migrations/0003-connection-life.ts";
import { up as hookSuspicion } from "./migrations/0004-hook-suspicion.ts";
import { up as connectionWays } from "./migrations/0005-connection-ways.ts";
import type { Db, Tx } from "./store.ts";

/** Every migration, in order. Forward only: what is released is never edited. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-spine": { up: spine },
  "0002-connection-network": { up: connectionNetwork },
  "0003-connection-life": { up: connectionLife },
  "0004-hook-suspicion": { up: hookSuspicion },
  "0005-connection-ways": { up: connectionWays },
};

export const MIGRATION_TABLE = "schema_migration";
export const MIGRATION_LOCK_TABLE = "schema_migration_lock";

/** Older ones lack what the written SQL uses, and their maintenance has ended. */
const OLDEST_SERVER = 140_000;

/** The schema that this Fairlead uses: its last migration's name. */
const SCHEMA_VERSION = Object.keys(MIGRATIONS).sort().at(-1) ?? "";

/**
 * Brings the schema up to date, or up to one migration, in one transaction under an advisory lock: concurrent starts wait for each other. Throws
 * `DATABASE_UNAVAILABLE` with `newer_schema` when a newer Fairlead migrated it, `wrong_version` for a server that is too old.
 */
export async function migrate(db: Db, upTo: string = SCHEMA_VERSION): Promise<void> {
  await refuseOldServer(db);
  await refuseNewerSchema(db);
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...MIGRATIONS }) },
    migrationTableName: MIGRATION_TABLE,
    migrationLockTableName: MIGRATION_LOCK_TABLE,
  });
  const { error } = (await isBehind(db, upTo)) ? await migrator.migrateTo(upTo) : {};
  if (error === undefined) return;
  await refuseNewerSchema(db); // another one may have migrated meanwhile
  throw Fault.of("DATABASE_UNAVAILABLE", "", {
    message: "the database's schema could not be brought up to date",
    cause: error,
  });
}

/** Kysely's migrateTo also goes back; we never do. */
async function isBehind(db: Db, upTo: string): Promise<boolean> {
  const last = (await listApplied(db)).at(-1) ?? "";
  return last < upTo;
}

async function refuseOldServer(db: Db): Promise<void> {
  const { rows } = await sql<{ number: number; version: string }>`
    select current_setting('server_version_num')::int as number, current_setting('server_version') as version`.execute(
    db,
  );
  const server = rows[0];
  if (server === undefined || server.number >= OLDEST_SERVER) return;
  throw Fault.of("DATABASE_UNAVAILABLE", "wrong_version", {
    message: `PostgreSQL ${server.version} is too old; Fairlead needs 14 or newer`,
    evidence: { version: server.version },
  });
}

async function refuseNewerSchema(db: Db): Promise<void> {
  const unknown = (await listApplied(db)).filter((name) => !(name in MIGRATIONS));
  if (unknown.length === 0) return;
  throw Fault.of("DATABASE_UNAVAILABLE", "newer_schema", {
    message: `a newer Fairlead has changed this database (${unknown.join(", ")}). Start that version, or restore a backup made by this one.`,
    evidence: { unknown: unknown.join(", ") },
  });
}

/** The migrations that this Fairlead knows, in order. */
export function listKnown(): string[] {
  return Object.keys(MIGRATIONS).sort();
}

/** The names of the migrations that the database has had; empty for a new one. */
export async function listApplied(db: Db | Tx): Promise<string[]> {
  const { rows: found } = await sql<{ present: boolean }>`
    select to_regclass(${MIGRATION_TABLE}) is not null as present`.execute(db);
  if (found[0]?.present !== true) return [];
  const { rows } = await sql<{ name: string }>`
    select name from ${sql.table(MIGRATION_TABLE)} order by name`.execute(db);
  return rows.map((row) => row.name);
}
