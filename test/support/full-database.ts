import { sql } from "kysely";
import type { Store } from "../../src/store/store.ts";

/** Something hard in every table: all bytes, all digits, empty lists, quotes, control characters, the ends of the ranges. */
export async function fillEveryTable(store: Store): Promise<void> {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const nasty = `\u0001\t\n\r"'\\{},NULL null \u{1F6A2} é ${"x".repeat(70_000)}`;
  for (const statement of [
    sql`insert into setting values ('key_fingerprint', '{"version": 1, "fingerprint": "00112233"}'), ('nasty', to_jsonb(${nasty}::text)), ('null', 'null')`,
    sql`insert into api_token (id, name, hash, created_at) values ('tok', ${nasty}, 'h', '2026-11-23 15:04:05.123456+00')`,
    sql`insert into connection (id, name, base_url, web_url, token, token_kind, token_scopes, token_scopes_known_by, token_expires_at, user_id, created_at)
      values ('con', 'acme', 'https://git', 'https://git', ${bytes}, 'personal', ${["api", 'a"b', "NULL", "", "{x,y}", nasty]}, 'self', '2027-02-28', 9007199254740991, '-infinity'),
        ('con2', 'other', 'https://git', 'https://git', ''::bytea, 'personal', '{}', 'self', null, null, '0001-01-01 00:00:00+00')`,
    sql`update connection set network = ${bytes}, ca = ${nasty}, reached_by = ${["ca", "client certificate"]}, trouble = ${JSON.stringify({ code: "AUTH_FAILED", reason: "expired", title: nasty.slice(1) })}, paused_at = '2026-11-23 15:04:05.123456+00', suspect_at = '-infinity', warned_days = 14,
        rotate_before_days = 90, rotate_for_days = 400, rotating_at = 'infinity', rotated_at = '2026-11-22 00:00:00+00' where id = 'con'`,
    sql`insert into connection_event (connection_id, kind, text) select 'con', 'trouble', ${nasty} from generate_series(1, 3) n`,
    sql`insert into linked_project (id, connection_id, project_id, path, web_url, http_url, ssh_url, hook_path, hook_secret, hook_signing_key, hook_state, bad_secret_count)
      values ('prj', 'con', 42, 'a/b', 'w', 'h', 's', 'p', ${bytes}, ${bytes}, 'active', 9223372036854775807)`,
    sql`insert into app (id, name, linked_project_id, build) values ('app', 'shop', 'prj', '{"n": 12345678901234567890.123456789, "deep": [[[{}]]]}')`,
    sql`insert into environment (id, app_id, name, branch, host, live_release_id) values ('env', 'app', 'production', 'main', 'shop.localhost', 'rel')`,
    sql`insert into delivery (id, linked_project_id, event, headers, payload, body_bytes) select 'dlv' || n, 'prj', 'push', '{}', jsonb_build_object('n', n, 'text', repeat('é"', 5000)), 1 from generate_series(1, 100) n`,
    sql`insert into deployment (id, environment_id, commit_sha, ref, cause, delivery_id, number) values ('dep', 'env', 'abc', 'main', 'push', 'dlv7', nextval('deployment_number'))`,
    sql`insert into deployment_step (deployment_id, attempt, name, state) values ('dep', 1, 'build', 'done')`,
    sql`insert into release (id, environment_id, deployment_id, commit_sha, kind, directory, command) values ('rel', 'env', 'dep', 'abc', 'static', '/d', '[]')`,
    sql`insert into replica (id, environment_id, release_id, deployment_id, attempt) values ('rpl', 'env', 'rel', 'dep', 1)`,
    sql`insert into route (host, environment_id, release_id, targets, generation) values ('shop.localhost', 'env', 'rel', '[]', nextval('route_generation'))`,
    sql`insert into outbox (connection_id, project_id, kind, order_key, payload) select 'con', 42, 'commit_status', 'k', '{}' from generate_series(1, 33)`,
    sql`insert into event (app_id, kind, text) values ('app', 'linked', ${nasty})`,
    sql`insert into log_chunk (deployment_id, seq, text) select 'dep', n, ${nasty} from generate_series(1, 8) n`,
  ]) {
    await statement.execute(store.db);
  }
}

/** All rows of all tables and all sequences, as PostgreSQL writes them. */
export async function dumpEverything(store: Store): Promise<Record<string, string>> {
  const { rows: tables } = await sql<{ name: string }>`
    select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
      and relname not like 'schema_migration%' order by 1`.execute(store.db);
  const result: Record<string, string> = {};
  for (const { name } of tables) {
    const { rows } = await sql<{ row: string }>`
      select t::text as row from ${sql.table(name)} t order by 1`.execute(store.db);
    result[name] = rows.map((row) => row.row).join("\n");
  }
  const { rows: sequences } = await sql<{ name: string }>`
    select sequencename as name from pg_sequences where schemaname = 'public'`.execute(store.db);
  for (const { name } of sequences) {
    const { rows } = await sql<{ next: string }>`
      select (last_value + is_called::int)::text as next from ${sql.table(name)}`.execute(store.db);
    result[name] = rows[0]!.next;
  }
  return result;
}
