import { sql } from "kysely";
import { expect, test } from "vitest";
import { createTestDatabase, createTestStore } from "../../test/support/database.ts";
import { query } from "../../test/support/embedded-server.ts";
import { listApplied, listKnown, migrate } from "./migrate.ts";
import { openStore } from "./open.ts";

test("stores opened at once on an empty database migrate it once", async () => {
  await using database = await createTestDatabase("empty");
  await using stores = new AsyncDisposableStack();
  const opened = await Promise.all(
    Array.from({ length: 6 }, () => openStore({ ...database, maxConnections: 2 })),
  );
  for (const store of opened) stores.use(store);
  expect(await listApplied(opened[0]!.db)).toEqual(listKnown());
});

test("migrating again changes nothing", async () => {
  await using store = await createTestStore();
  await store.db.insertInto("setting").values({ key: "k", value: "1" }).execute();
  await migrate(store.db);
  await migrate(store.db, "0001-spine");
  expect(await store.db.selectFrom("setting").selectAll().execute()).toEqual([{ key: "k", value: 1 }]);
});

test("a schema that a newer Fairlead made is refused and left alone", async () => {
  await using database = await createTestDatabase();
  {
    await using store = await openStore(database);
    await sql`insert into schema_migration values ('9999-future', now()::text)`.execute(store.db);
  }
  await expect(openStore(database)).rejects.toMatchObject({
    code: "DATABASE_UNAVAILABLE",
    reason: "newer_schema",
    evidence: { unknown: "9999-future" },
  });
});

test("a migration that fails leaves the database as it was", async () => {
  await using database = await createTestDatabase("empty");
  const address = database.connectionString;
  await query(address, "create table log_chunk (mine int)"); // the last table of the first migration is in the way
  await expect(openStore(database)).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE", reason: "" });
  expect(await query(address, "select to_regclass('app') as app, to_regclass('log_chunk') as mine")).toEqual([
    { app: null, mine: "log_chunk" },
  ]);
});

test("one deployment per environment runs, any number may wait or be over", async () => {
  await using store = await createTestStore();
  await sql`
    insert into connection (id, name, base_url, web_url, token, token_kind, token_scopes, token_scopes_known_by) values ('con', 'c', 'u', 'u', '', 'k', '{}', 'self');
    `.execute(store.db);
  await sql`insert into linked_project (id, connection_id, project_id, path, web_url, http_url, ssh_url, hook_path, hook_secret, hook_signing_key, hook_state) values ('prj', 'con', 1, 'p', 'w', 'h', 's', 'x', '', '', 'none')`.execute(
    store.db,
  );
  await sql`insert into app (id, name, linked_project_id) values ('app', 'a', 'prj')`.execute(store.db);
  await sql`insert into environment (id, app_id, name, branch, host) values ('env', 'app', 'production', 'main', 'h')`.execute(
    store.db,
  );
  const insert = async (id: string, state: string): Promise<unknown> =>
    sql`insert into deployment (id, environment_id, commit_sha, ref, cause, state) values (${id}, 'env', 'c', 'main', 'push', ${state})`.execute(
      store.db,
    );
  for (const state of ["queued", "queued", "live", "live", "failed"])
    await insert(`${state}${Math.random()}`, state);
  await insert("one", "building");
  await expect(insert("two", "switching")).rejects.toMatchObject({
    code: "23505",
    constraint: "deployment_one_running",
  });
  await expect(insert("three", "napping")).rejects.toMatchObject({ code: "23514" });
});
