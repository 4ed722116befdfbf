import { sql, type Kysely } from "kysely";

/** Since when a webhook is suspected not to call although GitLab took pushes: it is looked at before its turn. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table linked_project add column hook_suspect_at timestamptz`.execute(db);
}
