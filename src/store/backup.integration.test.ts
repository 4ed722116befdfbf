import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { createTestDatabase, createTestStore } from "../../test/support/database.ts";
import { dumpEverything, fillEveryTable } from "../../test/support/full-database.ts";
import { Secret } from "../kernel/secret.ts";
import { writeBackup } from "./backup.ts";
import { listKnown } from "./migrate.ts";
import { openStore } from "./open.ts";
import { readBackup, readBackupFacts } from "./read-backup.ts";
import { restoreBackup } from "./restore.ts";

const options = { fairleadVersion: "0.1.0" };

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-backup-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test("a restored database is the same in every row and sequence", async () => {
  await using from = await createTestStore();
  await using to = await createTestStore();
  const file = join(await makeFolder(), "backup");
  await fillEveryTable(from);
  const before = await dumpEverything(from);
  expect(Object.values(before).filter((rows) => rows === "")).toEqual([]);
  await writeBackup(from, file, options);
  expect(await restoreBackup(to, file)).toMatchObject({ keyFingerprint: "00112233", key: null });
  expect(await dumpEverything(to)).toEqual(before);
  // the sequences go on instead of meeting the restored rows
  await to.db.insertInto("event").values({ app_id: "app", kind: "k", text: "t" }).execute();
  await to.db.insertInto("connection_event").values({ connection_id: "con", kind: "k", text: "t" }).execute();
  await to.db
    .insertInto("outbox")
    .values({ connection_id: "con", project_id: 1, kind: "commit_status", order_key: "k", payload: "{}" })
    .execute();
  const { number } = await to.db
    .insertInto("deployment")
    .values({ id: "dep2", environment_id: "env", commit_sha: "a", ref: "main", cause: "manual" })
    .returning("number")
    .executeTakeFirstOrThrow();
  expect(number).toBe(2);
});

test("from one embedded server to another, and on to a server given by its address", async () => {
  const folder = await makeFolder();
  await chmod(folder, 0o755);
  const file = join(folder, "backup");
  let before: Record<string, string>;
  {
    await using from = await openStore({ embedded: { dataFolder: join(folder, "one") } });
    await fillEveryTable(from);
    before = await dumpEverything(from);
    await writeBackup(from, file, options);
  }
  await using embedded = await openStore({ embedded: { dataFolder: join(folder, "two") } });
  await restoreBackup(embedded, file);
  expect(await dumpEverything(embedded)).toEqual(before);
  await using database = await createTestDatabase("empty");
  await writeBackup(embedded, file, options);
  await using given = await openStore(database);
  await restoreBackup(given, file);
  expect(await dumpEverything(given)).toEqual(before);
});

test("the file is private, replaces an older one whole, and leaves nothing beside it", async () => {
  await using store = await createTestStore();
  const folder = await makeFolder();
  const file = join(folder, "backup");
  await writeFile(file, "older", { mode: 0o644 });
  await writeBackup(store, file, options);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readBackup(file)).toMatchObject({ fairlead: "0.1.0" });
  expect(await readdir(folder)).toEqual(["backup"]);
});

test("a backup that cannot be finished leaves the older one and no part", async () => {
  await using store = await createTestStore();
  const folder = await makeFolder();
  const file = join(folder, "backup");
  await writeFile(file, "older");
  await fillEveryTable(store);
  const stop = new AbortController();
  stop.abort(new Error("stopped"));
  await expect(writeBackup(store, file, { ...options, signal: stop.signal })).rejects.toThrow(
    /abort|stopped/u,
  );
  expect(await readFile(file, "utf8")).toBe("older");
  expect(await readdir(folder)).toEqual(["backup"]);
  expect(await store.db.selectFrom("app").select("id").execute()).toHaveLength(1);
});

test("the key is in it only when it was asked for", async () => {
  await using store = await createTestStore();
  await using to = await createTestStore();
  const file = join(await makeFolder(), "backup");
  await writeBackup(store, file, options);
  expect(await readBackupFacts(file)).toMatchObject({ includesKey: false, schema: listKnown().at(-1) });
  await writeBackup(store, file, { ...options, key: new Secret("1 the-key\n") });
  expect(await readBackupFacts(file)).toMatchObject({ includesKey: true });
  expect(JSON.stringify(await readBackupFacts(file))).not.toContain("the-key");
  expect((await restoreBackup(to, file)).key?.reveal()).toBe("1 the-key\n");
});

test("it shows one moment, whatever is written meanwhile", async () => {
  await using from = await createTestStore();
  await using to = await createTestStore();
  const file = join(await makeFolder(), "backup");
  await fillEveryTable(from);
  const written = new AbortController();
  const writing = (async () => {
    while (!written.signal.aborted) {
      await from.transaction(async (tx) => {
        const number = Math.floor(Math.random() * 1e9);
        await tx
          .insertInto("event")
          .values({ app_id: "app", kind: "pair", text: `${number}` })
          .execute();
        await tx
          .insertInto("api_token")
          .values({ id: `tok${number}`, name: "pair", hash: `${number}` })
          .execute();
      });
    }
  })();
  await writeBackup(from, file, options);
  written.abort();
  await writing;
  await restoreBackup(to, file);
  const events = await to.db.selectFrom("event").select("text").where("kind", "=", "pair").execute();
  const tokens = await to.db.selectFrom("api_token").select("hash").where("name", "=", "pair").execute();
  expect(events.map((row) => row.text).sort()).toEqual(tokens.map((row) => row.hash).sort());
});

test("a used database is refused and stays as it is", async () => {
  await using from = await createTestStore();
  await using to = await createTestStore();
  const file = join(await makeFolder(), "backup");
  await fillEveryTable(from);
  await writeBackup(from, file, options);
  await sql`insert into setting values ('one', '1')`.execute(to.db);
  const before = await dumpEverything(to);
  await expect(restoreBackup(to, file)).rejects.toMatchObject({ code: "CONFLICT" });
  expect(await dumpEverything(to)).toEqual(before);
});

test("of two restores at once one fills the database, the other is refused", async () => {
  await using from = await createTestStore();
  await using to = await createTestStore();
  const file = join(await makeFolder(), "backup");
  await fillEveryTable(from);
  await writeBackup(from, file, options);
  const results = await Promise.allSettled([restoreBackup(to, file), restoreBackup(to, file)]);
  expect(results.map((result) => result.status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(results.find((result) => result.status === "rejected")).toMatchObject({
    reason: { code: "CONFLICT" },
  });
  expect(await dumpEverything(to)).toEqual(await dumpEverything(from));
});
