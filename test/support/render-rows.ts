import { sql } from "kysely";
import { MIGRATION_LOCK_TABLE, MIGRATION_TABLE } from "../../src/store/migrate.ts";
import type { Db } from "../../src/store/store.ts";

interface Column {
  readonly table: string;
  readonly name: string;
  /** As PostgreSQL writes it: `text`, `timestamp with time zone`, `text[]`. */
  readonly type: string;
  readonly nullable: boolean;
  readonly generated: boolean;
  /** The definitions of the check constraints that name this column only. */
  readonly checks: string[];
}

const TYPES: Readonly<Record<string, string>> = {
  text: "string",
  "text[]": "string[]",
  integer: "number",
  bigint: "number",
  boolean: "boolean",
  bytea: "Buffer",
  date: "string",
  jsonb: "Json",
  "timestamp with time zone": "Timestamp",
};

const HEADER = `import type { ColumnType } from "kysely";

/**
 * The tables as Kysely sees them. Written by \`npm run store:types\` from the migrated schema; a test holds it to that.
 * bigint is read as a JavaScript number (all are counters and GitLab ids, far below 2^53), date as \`YYYY-MM-DD\`, jsonb is parsed.
 */
type Timestamp = ColumnType<Date, Date | string, Date | string>;
/** Like Kysely's, but also for columns whose reading and writing types differ. */
type Generated<T> =
  T extends ColumnType<infer Read, infer Insert, infer Update>
    ? ColumnType<Read, Insert | undefined, Update>
    : ColumnType<T, T | undefined, T>;
type Json = ColumnType<unknown, string, string>;
`;

const LINE_WIDTH = 110;

/** The text of src/store/rows.ts for a migrated database. Throws on a column type it does not know. */
export async function renderRows(db: Db): Promise<string> {
  const columns = await listColumns(db);
  const tables = [...new Set(columns.map((column) => column.table))].sort();
  const index = tables.map((table) => `  ${table}: ${interfaceName(table)};\n`).join("");
  const interfaces = tables.map((table) => {
    const lines = columns.filter((column) => column.table === table).map(renderColumn);
    return `export interface ${interfaceName(table)} {\n${lines.join("")}}\n`;
  });
  return [HEADER, `export interface Database {\n${index}}\n`, ...interfaces].join("\n");
}

async function listColumns(db: Db): Promise<Column[]> {
  const { rows } = await sql<Column>`
    select c.relname as table, a.attname as name, format_type(a.atttypid, null) as type, not a.attnotnull as nullable,
      (a.atthasdef or a.attidentity <> '') as generated,
      coalesce((select array_agg(pg_get_constraintdef(k.oid) order by k.conname) from pg_constraint k
        where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum]), '{}') as checks
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
      and c.relname not in (${MIGRATION_TABLE}, ${MIGRATION_LOCK_TABLE})
    order by c.relname, a.attname collate "C"`.execute(db);
  return rows;
}

function renderColumn(column: Column): string {
  const words = column.checks.map(allowedWords).find((list) => list.length > 0);
  const plain =
    words === undefined ? TYPES[column.type] : words.map((word) => JSON.stringify(word)).join(" | ");
  if (plain === undefined)
    throw new Error(`no TypeScript type is known for ${column.table}.${column.name}: ${column.type}`);
  const type = column.generated ? `Generated<${plain}>` : plain;
  const line = `  ${column.name}: ${type}${column.nullable ? " | null" : ""};\n`;
  if (words === undefined || line.length <= LINE_WIDTH + 1) return line;
  const list = words.map((word) => `    | ${JSON.stringify(word)}\n`).join("");
  return `  ${column.name}: Generated<\n${list}  >${column.nullable ? " | null" : ""};\n`;
}

/** The words of `check (x in (…))`, in their order; none for other constraints. */
function allowedWords(definition: string): string[] {
  if (!/^CHECK \(\(\w+ = (?:ANY \(ARRAY\[|')/u.test(definition)) return [];
  return [...definition.matchAll(/'([^']*)'::text/gu)].map((match) => match[1] ?? "");
}

function interfaceName(table: string): string {
  return `${table.replace(/(?:^|_)(\w)/gu, (_, letter: string) => letter.toUpperCase())}Table`;
}
