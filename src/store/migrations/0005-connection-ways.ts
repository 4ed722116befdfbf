import { sql, type Kysely } from "kysely";

/**
 * By what a connection's GitLab is reached, in words that anybody may see: the ciphertext beside it is for nobody's eyes, and lists do not open it.
 * Of what was stored before only the authority is known.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table connection add column reached_by text[] not null default '{}'`.execute(db);
  await sql`update connection set reached_by = array_remove(array[
    case when ca is not null then 'ca' end, case when network is not null then 'unknown' end], null)`.execute(
    db,
  );
}
