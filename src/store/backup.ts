import { createHash, randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { escapeIdentifier, type ClientBase } from "pg";
import { z } from "zod";
import type { Secret } from "../kernel/secret.ts";
import { makeHeader, type Footer, type Header, type Row } from "./backup-format.ts";
import { listSequences, listTables, type TableFacts } from "./catalogue.ts";
import { listApplied } from "./migrate.ts";
import type { Store } from "./store.ts";

export interface BackupOptions {
  /** Version of the running Fairlead, for the header. */
  readonly fairleadVersion: string;
  /** The text of the key file. With it the backup alone opens every stored token: leave it out unless the person asked. */
  readonly key?: Secret;
  readonly signal?: AbortSignal;
}

/**
 * Writes all of Fairlead's tables, as they are at one moment, to a file of mode 0600: whole or not at all. A file that is there is replaced.
 * Uses little memory whatever the size, and disturbs nobody.
 */
export async function writeBackup(store: Store, path: string, options: BackupOptions): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await pipeline(
      Readable.from(backupLines(store, options)),
      createGzip(),
      createWriteStream(temporary, { flags: "wx", mode: 0o600, flush: true }),
      options.signal ? { signal: options.signal } : {},
    );
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await using folder = await open(dirname(path), "r");
  await folder.sync();
}

/** The lines of a backup, each with its line end, not compressed. The snapshot lives as long as somebody reads. */
async function* backupLines(store: Store, options: BackupOptions): AsyncGenerator<string> {
  const schema = await listApplied(store.db);
  const client = await store.pool.connect();
  let broken = true;
  try {
    for (const statement of BEGIN) await client.query(statement);
    yield* exportTables(client, schema, options);
    await client.query("commit");
    broken = false;
  } finally {
    client.release(broken); // a connection that was left in a transaction is thrown away
  }
}

/** The settings make texts that read back the same anywhere. */
const BEGIN = [
  "begin isolation level repeatable read read only",
  "set local datestyle = 'ISO, YMD'",
  "set local timezone = 'UTC'",
  "set local bytea_output = 'hex'",
  "set local extra_float_digits = 1",
];

async function* exportTables(
  client: ClientBase,
  schema: string[],
  options: BackupOptions,
): AsyncGenerator<string> {
  const hash = createHash("sha256");
  const emit = (value: unknown): string => {
    const line = `${JSON.stringify(value)}\n`;
    hash.update(line);
    return line;
  };
  const tables = await listTables(client);
  yield emit(
    makeHeader({
      fairlead: options.fairleadVersion,
      madeAt: new Date().toISOString(),
      schema,
      keyFingerprint: await findFingerprint(client),
      ...(options.key === undefined ? {} : { key: options.key.reveal() }),
      tables: tables.map(({ name, columns }) => ({ name, columns: columns.map((column) => column.name) })),
      sequences: await readSequences(client),
    }),
  );
  const rows: Record<string, number> = {};
  for (const table of tables) {
    rows[table.name] = 0;
    yield emit({ table: table.name });
    for await (const row of readRows(client, table)) {
      rows[table.name] = (rows[table.name] ?? 0) + 1;
      yield emit(row);
    }
  }
  const footer: Footer = { rows, sha256: hash.digest("hex") };
  yield `${JSON.stringify(footer)}\n`;
}

async function readSequences(client: ClientBase): Promise<Header["sequences"]> {
  const sequences: Header["sequences"] = [];
  for (const name of await listSequences(client)) {
    const { rows } = await client.query<{ next: string }>(
      `select (last_value + is_called::int)::text as next from ${escapeIdentifier(name)}`,
    );
    sequences.push({ name, next: rows[0]?.next ?? "1" });
  }
  return sequences;
}

/** A few rows at a time: a row may be megabytes. */
const ROWS_AT_ONCE = 32;

async function* readRows(client: ClientBase, table: TableFacts): AsyncGenerator<Row> {
  const texts = table.columns.map((column) => `${escapeIdentifier(column.name)}::text`).join(", ");
  await client.query(
    `declare backup no scroll cursor for select array[${texts}] as row from ${escapeIdentifier(table.name)}`,
  );
  for (;;) {
    const { rows } = await client.query<{ row: Row }>(`fetch ${ROWS_AT_ONCE} from backup`);
    for (const { row } of rows) yield row;
    if (rows.length < ROWS_AT_ONCE) break;
  }
  await client.query("close backup");
}

const Registered = z.looseObject({ fingerprint: z.string() });

async function findFingerprint(client: ClientBase): Promise<string | null> {
  const { rows } = await client.query<{ value: unknown }>(
    "select value from setting where key = 'key_fingerprint'",
  );
  const parsed = Registered.safeParse(rows[0]?.value);
  return parsed.success ? parsed.data.fingerprint : null;
}
