import { sql, type Kysely } from "kysely";

/** How a connection's GitLab is reached besides its authority: proxy, client certificate, headers. One ciphertext, because all of it may be secret. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table connection add column network bytea`.execute(db);
}
