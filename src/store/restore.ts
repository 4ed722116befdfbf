import { DatabaseError, escapeIdentifier, type PoolClient } from "pg";
import { Fault } from "../faults/fault.ts";
import { Secret } from "../kernel/secret.ts";
import type { Header, Row } from "./backup-format.ts";
import { listSequences, listTables, type TableFacts } from "./catalogue.ts";
import { listApplied, listKnown } from "./migrate.ts";
import { invalid, readBackup } from "./read-backup.ts";
import type { Store } from "./store.ts";

export interface RestoreResult {
  readonly madeAt: string;
  readonly keyFingerprint: string | null;
  /** The text of the key file, when the backup holds it: the caller puts it in its place. */
  readonly key: Secret | null;
  readonly rows: number;
}

/**
 * Fills an empty database from a backup, in one transaction, after the whole file was checked. Throws `BACKUP_INVALID` for a bad file or one of a newer
 * Fairlead, `CONFLICT` when the database holds anything or has another schema than the backup (open it with `schema` for an older one);
 * then nothing has changed. Whoever made the file decides what Fairlead does afterwards: restore only your own.
 */
export async function restoreBackup(store: Store, path: string): Promise<RestoreResult> {
  const header = await readBackup(path);
  await refuseOtherSchema(store, header);
  const client = await store.pool.connect();
  let broken = true;
  try {
    await client.query("begin");
    const rows = await load(client, path);
    await client.query("commit");
    broken = false;
    const { madeAt, keyFingerprint, key } = header;
    return { madeAt, keyFingerprint, key: key === undefined ? null : new Secret(key), rows };
  } catch (error) {
    throw classify(error);
  } finally {
    client.release(broken); // closing the connection undoes the transaction
  }
}

async function refuseOtherSchema(store: Store, header: Header): Promise<void> {
  const unknown = header.schema.filter((name) => !listKnown().includes(name));
  if (unknown.length > 0) {
    throw invalid(`it was made by a newer Fairlead (${header.fairlead}, schema ${unknown.join(", ")})`);
  }
  if (JSON.stringify(await listApplied(store.db)) === JSON.stringify(header.schema)) return;
  throw Fault.of("CONFLICT", "in_use", {
    message: `the database has another schema than the backup of Fairlead ${header.fairlead}: restore into a new data folder or an empty database`,
    evidence: { schema: header.schema.join(", ") },
  });
}

async function load(client: PoolClient, path: string): Promise<number> {
  const tables = await listTables(client);
  await refuseUsed(client, tables);
  const batch = createBatch(client);
  const header = await readBackup(path, {
    onHeader: (header) => batch.use(insertStatements(header, tables)),
    onRow: (table, row) => batch.add(table, row),
  });
  await batch.flush();
  await setSequences(client, header);
  return batch.count();
}

/** Nobody else can write from here to the end of the transaction. */
async function refuseUsed(client: PoolClient, tables: readonly TableFacts[]): Promise<void> {
  const names = tables.map((table) => escapeIdentifier(table.name));
  await client.query(`lock table ${names.join(", ")} in exclusive mode`);
  for (const [index, name] of names.entries()) {
    const { rowCount } = await client.query(`select 1 from ${name} limit 1`);
    if (rowCount === 0) continue;
    throw Fault.of("CONFLICT", "in_use", {
      message: `the database is not empty (${tables[index]?.name}): restore into a new data folder or an empty database`,
    });
  }
}

/**
 * The statement of each table, for rows whose values come in the file's order. The schemas are the same by name, so their tables must be; nothing of
 * the file becomes part of a statement.
 */
function insertStatements(header: Header, tables: readonly TableFacts[]): Map<string, string> {
  const statements = new Map<string, string>();
  for (const table of tables) {
    const order = header.tables.find(({ name }) => name === table.name)?.columns ?? [];
    const columns = order.map((name) => table.columns.find((column) => column.name === name));
    const present = columns.filter((column) => column !== undefined);
    if (new Set(present).size !== table.columns.length || columns.length !== table.columns.length) {
      throw invalid(`its table ${table.name} is not that of its schema`);
    }
    statements.set(table.name, insertStatement({ name: table.name, columns: present }));
  }
  if (header.tables.length !== tables.length) throw invalid("its tables are not those of its schema");
  return statements;
}

const BATCH_ROWS = 200;
const BATCH_CHARACTERS = 4 * 1024 * 1024;

interface Batch {
  use(statements: ReadonlyMap<string, string>): void;
  add(table: string, row: Row): Promise<void>;
  flush(): Promise<void>;
  count(): number;
}

function createBatch(client: PoolClient): Batch {
  let waiting: Row[] = [];
  let characters = 0;
  let target = "";
  let count = 0;
  let statements: ReadonlyMap<string, string> = new Map();
  const flush = async (): Promise<void> => {
    const statement = statements.get(target);
    if (waiting.length === 0 || statement === undefined) return;
    await client.query(statement, [JSON.stringify(waiting)]);
    waiting = [];
    characters = 0;
  };
  return {
    use: (given) => {
      statements = given;
    },
    async add(table, row) {
      if (table !== target) await flush();
      target = table;
      waiting.push(row);
      count++;
      for (const value of row) characters += value?.length ?? 0;
      if (waiting.length >= BATCH_ROWS || characters >= BATCH_CHARACTERS) await flush();
    },
    flush,
    count: () => count,
  };
}

/** Each value is read from its text by PostgreSQL, as the type that the column has here. */
export function insertStatement(table: TableFacts): string {
  const names = table.columns.map((column) => escapeIdentifier(column.name)).join(", ");
  const values = table.columns.map((column, index) => `(row->>${index})::${column.type}`).join(", ");
  return `insert into ${escapeIdentifier(table.name)} (${names}) select ${values} from jsonb_array_elements($1::jsonb) as row`;
}

/** `alter sequence` is undone with its transaction; setval is not. */
async function setSequences(client: PoolClient, header: Header): Promise<void> {
  const known = await listSequences(client);
  const given = header.sequences.map((sequence) => sequence.name).sort();
  if (JSON.stringify(known) !== JSON.stringify(given))
    throw invalid("its sequences are not those of its schema");
  for (const { name, next } of header.sequences) {
    await client.query(`alter sequence ${escapeIdentifier(name)} restart with ${BigInt(next)}`);
  }
}

/** Class 22: a value that its type does not take; class 23: rows that contradict each other. */
function classify(error: unknown): unknown {
  if (!(error instanceof DatabaseError) || !/^2[23]/u.test(error.code ?? "")) return error;
  return invalid(`its rows do not fit the schema (${error.table ?? error.code})`, error);
}
