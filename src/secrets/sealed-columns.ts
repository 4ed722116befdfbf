import { sql } from "kysely";
import type { Db, Tx } from "../store/store.ts";
import { open, seal, versionOf } from "./cipher.ts";
import type { Key } from "./key.ts";
import type { Place } from "./vault.ts";

/** Every column that holds ciphertexts; a test finds each bytea column of the schema here. */
export const SEALED_COLUMNS = [
  { table: "connection", column: "token", address: "base_url" },
  { table: "connection", column: "network", address: "base_url" },
  { table: "linked_project", column: "hook_secret", address: null },
  { table: "linked_project", column: "hook_signing_key", address: null },
  { table: "app", column: "deploy_key_private", address: null },
] as const;

interface SealedValue {
  readonly place: Place;
  readonly sealed: Buffer;
}

/** What a connection sends is bound to the origin of its address, everything else to its row and column. */
async function listSealed(tx: Db | Tx, column: (typeof SEALED_COLUMNS)[number]): Promise<SealedValue[]> {
  const address = column.address === null ? sql`null` : sql.ref(column.address);
  const { rows } = await sql<{ id: string; sealed: Buffer; address: string | null }>`
    select id, ${sql.ref(column.column)} as sealed, ${address} as address
    from ${sql.table(column.table)} where ${sql.ref(column.column)} is not null`.execute(tx);
  return rows.map((row) => ({
    place: {
      table: column.table,
      row: row.id,
      column: column.column,
      ...(row.address === null ? {} : { origin: new URL(row.address).origin }),
    },
    sealed: row.sealed,
  }));
}

/** Whether anything is encrypted yet, and with which versions. */
export async function listSealedVersions(on: Db | Tx): Promise<Set<number | null>> {
  const versions = new Set<number | null>();
  for (const column of SEALED_COLUMNS) {
    for (const value of await listSealed(on, column)) versions.add(versionOf(value.sealed));
  }
  return versions;
}

/** Throws `KEY_UNUSABLE` (wrong) unless `keys` open everything. */
export async function verifySealed(on: Db | Tx, keys: readonly Key[]): Promise<void> {
  for (const column of SEALED_COLUMNS) {
    for (const { place, sealed } of await listSealed(on, column)) open(keys, sealed, place);
  }
}

/**
 * Encrypts with `current` whatever another of `keys` encrypted, and returns how many. Until the transaction ends nobody else writes to these
 * tables, so that nothing made with an old key slips in behind.
 */
export async function reseal(tx: Tx, keys: readonly Key[], current: Key): Promise<number> {
  const tables = [...new Set(SEALED_COLUMNS.map((column) => column.table))];
  await sql`lock table ${sql.join(tables.map((table) => sql.table(table)))} in share row exclusive mode`.execute(
    tx,
  );
  let count = 0;
  for (const column of SEALED_COLUMNS) {
    for (const { place, sealed } of await listSealed(tx, column)) {
      if (versionOf(sealed) === current.version) continue;
      const fresh = seal(current, open(keys, sealed, place), place);
      await sql`update ${sql.table(column.table)} set ${sql.ref(column.column)} = ${fresh} where id = ${place.row}`.execute(
        tx,
      );
      count++;
    }
  }
  return count;
}
