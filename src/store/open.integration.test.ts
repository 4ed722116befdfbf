import { readFile } from "node:fs/promises";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { createTestDatabase, createTestStore } from "../../test/support/database.ts";
import { makeFolder, queryUntilAnswered } from "../../test/support/embedded-server.ts";
import { deadline } from "../kernel/clock.ts";
import { waitUntil } from "../kernel/retry.ts";
import { openStore } from "./open.ts";

const until = <T>(condition: () => Promise<T> | T): Promise<NonNullable<T>> =>
  waitUntil(condition, { everyMs: 10, signal: deadline(20_000) });

test("a fresh store is migrated and reads bigint as number and date as text", async () => {
  await using store = await createTestStore();
  const { rows } = await sql`select 42::bigint as big, date '2026-01-31' as day, now() as at`.execute(
    store.db,
  );
  expect(rows).toEqual([{ big: 42, day: "2026-01-31", at: expect.any(Date) }]);
  expect(await store.db.selectFrom("deployment").selectAll().execute()).toEqual([]);
});

test("a date stays the day it is in every time zone", async () => {
  await using store = await createTestStore();
  for (const zone of ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"]) {
    await store.transaction(async (tx) => {
      await sql`select set_config('timezone', ${zone}, true)`.execute(tx);
      const { rows } = await sql`select date '2026-01-31' as day`.execute(tx);
      expect(rows).toEqual([{ day: "2026-01-31" }]);
    });
  }
});

test("stores of concurrent tests do not see each other", async () => {
  await using one = await createTestStore();
  await using two = await createTestStore();
  await one.db.insertInto("setting").values({ key: "k", value: "1" }).execute();
  expect(await two.db.selectFrom("setting").selectAll().execute()).toEqual([]);
});

test("a transaction that fails leaves nothing and throws its own error", async () => {
  await using store = await createTestStore();
  const mistake = new Error("mine");
  const work = store.transaction(async (tx) => {
    await tx.insertInto("setting").values({ key: "k", value: "1" }).execute();
    throw mistake;
  });
  await expect(work).rejects.toBe(mistake);
  expect(await store.db.selectFrom("setting").selectAll().execute()).toEqual([]);
});

test("transactions that deadlock are run again and both succeed", async () => {
  await using store = await createTestStore();
  await sql`insert into setting values ('a', '0'), ('b', '0')`.execute(store.db);
  let met = 0;
  let runs = 0;
  const add = async (first: string, second: string): Promise<void> =>
    store.transaction(async (tx) => {
      runs++;
      await sql`update setting set value = to_jsonb(value::int + 1) where key = ${first}`.execute(tx);
      met++;
      await until(() => met >= 2);
      await sql`update setting set value = to_jsonb(value::int + 1) where key = ${second}`.execute(tx);
    });
  await Promise.all([add("a", "b"), add("b", "a")]);
  expect(runs).toBe(3);
  expect(await store.db.selectFrom("setting").select("value").execute()).toEqual([
    { value: 2 },
    { value: 2 },
  ]);
});

test("a transaction that never gets through is given up after three runs; other errors are not run again", async () => {
  await using store = await createTestStore();
  let runs = 0;
  const raise = (code: string): Promise<unknown> =>
    store.transaction(async (tx) => {
      runs++;
      await sql.raw(`do $$ begin raise exception 'x' using errcode = '${code}'; end $$`).execute(tx);
    });
  await expect(raise("40001")).rejects.toMatchObject({ code: "40001" });
  expect(runs).toBe(3);
  await expect(raise("23505")).rejects.toMatchObject({ code: "23505" });
  expect(runs).toBe(4);
});

test("a notification comes when its transaction commits, and not when it is undone", async () => {
  await using store = await createTestStore();
  const heard: string[] = [];
  await using _ = await store.listen("delivery", (payload) => heard.push(payload));
  await store
    .transaction(async (tx) => {
      await store.notify("delivery", "undone", tx);
      throw new Error("no");
    })
    .catch(() => {});
  await store.transaction(async (tx) => {
    await store.notify("delivery", "committed", tx);
    await store.notify("outbox", "another channel", tx);
    await store.notify("delivery", "at once");
    await until(() => heard.includes("at once"));
    expect(heard).not.toContain("committed");
  });
  await until(() => heard.includes("committed"));
  expect(heard).toEqual(["at once", "committed"]);
});

test("two subscribers hear the same; one that fails or has left does not disturb the other", async () => {
  await using store = await createTestStore();
  const heard: string[] = [];
  await using subscriptions = new AsyncDisposableStack();
  const mistaken = await store.listen("log", () => {
    throw new Error("a subscriber's mistake");
  });
  subscriptions.use(mistaken);
  const gone = await store.listen("log", (payload) => heard.push(`gone ${payload}`));
  subscriptions.use(await store.listen("log", (payload) => heard.push(payload)));
  await gone[Symbol.asyncDispose]();
  await store.notify("log", "ü\u{1F6A2}");
  await until(() => heard.length > 0);
  expect(heard).toEqual(["ü\u{1F6A2}"]);
});

test("7 KB are carried, more is refused before the database does", async () => {
  await using store = await createTestStore();
  const heard: string[] = [];
  await using _ = await store.listen("event", (payload) => heard.push(payload));
  await store.notify("event", "x".repeat(7 * 1024));
  await until(() => heard.length > 0);
  expect(heard[0]).toHaveLength(7 * 1024);
  await expect(store.notify("event", "ü".repeat(4 * 1024))).rejects.toMatchObject({ code: "INTERNAL" });
});

test("a connection killed in use fails its own query only", async () => {
  await using store = await createTestStore();
  const doomed = store.transaction(async (tx) => {
    await sql`select pg_terminate_backend(pg_backend_pid())`.execute(tx);
  });
  await expect(doomed).rejects.toThrow(/terminat/u);
  expect((await sql`select 1 as one`.execute(store.db)).rows).toEqual([{ one: 1 }]);
});

test("the store survives its PostgreSQL: queries answer again, listeners listen again and are told", async () => {
  await using store = await openStore({ embedded: { dataFolder: await makeFolder() } });
  const heard: string[] = [];
  let reconnects = 0;
  await using _ = await store.listen(
    "delivery",
    (payload) => heard.push(payload),
    () => reconnects++,
  );
  await store.db.insertInto("setting").values({ key: "kept", value: "1" }).execute();
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(store.db);
  const status = await readFile(`/proc/${rows[0]!.pid}/status`, "utf8");
  process.kill(Number(/^PPid:\s*(\d+)/mu.exec(status)![1]), "SIGKILL");
  await until(() => reconnects > 0);
  const kept = await until(() =>
    store.db
      .selectFrom("setting")
      .selectAll()
      .execute()
      .catch(() => null),
  );
  expect(kept).toEqual([{ key: "kept", value: 1 }]);
  await store.notify("delivery", "again");
  await until(() => heard.includes("again"));
});

test("a database that cannot be reached is named without its password", async () => {
  const refusal = await openStore({ connectionString: "postgresql://me:hunter2@127.0.0.1:1/x" }).catch(
    (error: unknown) => error,
  );
  expect(refusal).toMatchObject({
    code: "DATABASE_UNAVAILABLE",
    retryable: true,
    evidence: { host: "127.0.0.1:1" },
  });
  expect(JSON.stringify(refusal) + String(refusal)).not.toContain("hunter2");
});

test("a store that was opened by address leaves no connection behind", async () => {
  await using database = await createTestDatabase();
  const store = await openStore(database);
  await store.listen("log", () => {});
  await store[Symbol.asyncDispose]();
  const left = await queryUntilAnswered(
    database.connectionString,
    "select count(*)::int as n from pg_stat_activity where datname = current_database() and application_name = 'fairlead'",
  );
  expect(left).toEqual([{ n: 0 }]);
});
