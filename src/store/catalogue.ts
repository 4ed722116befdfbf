import type { ClientBase } from "pg";
import { MIGRATION_LOCK_TABLE, MIGRATION_TABLE } from "./migrate.ts";

export interface TableFacts {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/** Fairlead's tables with their columns, each after the tables that it refers to. pg-boss' live in a schema of their own. */
export async function listTables(on: ClientBase): Promise<TableFacts[]> {
  const { rows: tables } = await on.query<TableFacts>(
    `select c.relname as name, json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod))
        order by a.attnum) as columns
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and not c.relname = any ($1)
      group by c.relname order by c.relname`,
    [[MIGRATION_TABLE, MIGRATION_LOCK_TABLE]],
  );
  const { rows: references } = await on.query<{ source: string; target: string }>(
    `select s.relname as source, t.relname as target from pg_constraint k
      join pg_class s on s.oid = k.conrelid join pg_class t on t.oid = k.confrelid
      where k.contype = 'f' and s.relnamespace = 'public'::regnamespace and s.oid <> t.oid`,
  );
  return sortByReference(tables, references);
}

/** Referred tables first; equal ones stay in their order. Throws when tables refer to each other in a circle. */
export function sortByReference(
  tables: readonly TableFacts[],
  references: readonly { readonly source: string; readonly target: string }[],
): TableFacts[] {
  const sorted: TableFacts[] = [];
  const waiting = [...tables];
  while (waiting.length > 0) {
    const next = waiting.findIndex((table) =>
      references.every(
        ({ source, target }) => source !== table.name || !waiting.some((other) => other.name === target),
      ),
    );
    if (next === -1) throw new Error(`tables refer to each other: ${waiting.map((t) => t.name).join(", ")}`);
    sorted.push(...waiting.splice(next, 1));
  }
  return sorted;
}

export async function listSequences(on: ClientBase): Promise<string[]> {
  const { rows } = await on.query<{ name: string }>(
    "select sequencename as name from pg_sequences where schemaname = 'public' order by sequencename",
  );
  return rows.map((row) => row.name);
}
