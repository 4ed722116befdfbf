import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { createTestDatabase, createTestStore } from "../../test/support/database.ts";
import { Secret } from "../kernel/secret.ts";
import { openStore } from "../store/open.ts";
import type { Store } from "../store/store.ts";
import { findKeys, formatKeys, newKey, writeKeys } from "./key.ts";
import { openVault } from "./open-vault.ts";
import { rekey } from "./rekey.ts";
import { SEALED_COLUMNS } from "./sealed-columns.ts";
import type { Place, Vault } from "./vault.ts";

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-vault-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const ORIGIN = "https://git.acme.lan";

const PLACES: readonly Place[] = [
  { table: "connection", row: "con_1", column: "token", origin: ORIGIN },
  { table: "linked_project", row: "prj_1", column: "hook_secret" },
  { table: "linked_project", row: "prj_1", column: "hook_signing_key" },
  { table: "app", row: "app_1", column: "deploy_key_private" },
];

/** One row in each table that holds ciphertexts, each with a secret that tells where it belongs. */
async function fill(store: Store, vault: Vault): Promise<void> {
  const [token, hookSecret, signingKey, deployKey] = PLACES.map((place) =>
    vault.seal(new Secret(`secret of ${place.column}`), place),
  );
  await store.db
    .insertInto("connection")
    .values({
      id: "con_1",
      name: "acme",
      base_url: `${ORIGIN}/gitlab`,
      web_url: `${ORIGIN}/gitlab`,
      token: token!,
      token_kind: "personal",
      token_scopes: ["api"],
      token_scopes_known_by: "self",
    })
    .execute();
  await store.db
    .insertInto("linked_project")
    .values({
      id: "prj_1",
      connection_id: "con_1",
      project_id: 7,
      path: "a/b",
      web_url: "w",
      http_url: "h",
      ssh_url: "s",
      hook_path: "p",
      hook_state: "none",
      hook_secret: hookSecret!,
      hook_signing_key: signingKey!,
    })
    .execute();
  await store.db
    .insertInto("app")
    .values({ id: "app_1", name: "shop", linked_project_id: "prj_1", deploy_key_private: deployKey! })
    .execute();
}

async function readAll(store: Store, vault: Vault): Promise<string[]> {
  const secrets: string[] = [];
  for (const place of PLACES) {
    const { rows } = await sql<{ sealed: Buffer }>`
      select ${sql.ref(place.column)} as sealed from ${sql.table(place.table)} where id = ${place.row}`.execute(
      store.db,
    );
    secrets.push(vault.open(rows[0]!.sealed, place).reveal());
  }
  return secrets;
}

const EXPECTED = PLACES.map((place) => `secret of ${place.column}`);

test("every bytea column of the schema is known to be encrypted", async () => {
  await using store = await createTestStore();
  const { rows } = await sql<{ table: string; column: string }>`
    select table_name as table, column_name as column from information_schema.columns
    where table_schema = 'public' and data_type = 'bytea' order by 1, 2`.execute(store.db);
  const known = SEALED_COLUMNS.map(({ table, column }) => ({ table, column }));
  expect(rows).toEqual(expect.arrayContaining(known));
  expect(known).toHaveLength(rows.length);
});

test("the first start makes a private key file; later starts read what was sealed", async () => {
  await using store = await createTestStore();
  const keyFile = join(await makeFolder(), "deep", "secret.key");
  await fill(store, await openVault(store, { keyFile }));
  expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(keyFile, ".."))).toEqual(["secret.key"]);
  expect(await readAll(store, await openVault(store, { keyFile }))).toEqual(EXPECTED);
});

test("nothing in the database tells the secrets or the key", async () => {
  await using store = await createTestStore();
  const keyFile = join(await makeFolder(), "secret.key");
  await fill(store, await openVault(store, { keyFile }));
  const [key] = (await findKeys(keyFile))!;
  const { rows } = await sql<{ everything: string }>`
    select (select json_agg(c) from connection c)::text || (select json_agg(p) from linked_project p)::text
      || (select json_agg(a) from app a)::text || (select json_agg(s) from setting s)::text as everything`.execute(
    store.db,
  );
  for (const form of ["hex", "base64"] as const) {
    expect(rows[0]!.everything).not.toContain(key!.bytes.toString(form));
    expect(rows[0]!.everything).not.toContain(Buffer.from("secret of").toString(form));
  }
});

test("a missing key file refuses the start, and no new key is made", async () => {
  await using store = await createTestStore();
  const folder = await makeFolder();
  await openVault(store, { keyFile: join(folder, "secret.key") });
  await expect(openVault(store, { keyFile: join(folder, "other.key") })).rejects.toMatchObject({
    code: "KEY_UNUSABLE",
    reason: "missing",
  });
  expect(await readdir(folder)).toEqual(["secret.key"]);
});

test("ciphertexts without a registered key: no key is made, a wrong one is refused, the right one is registered again", async () => {
  await using store = await createTestStore();
  const folder = await makeFolder();
  const keyFile = join(folder, "secret.key");
  await fill(store, await openVault(store, { keyFile }));
  await store.db.deleteFrom("setting").where("key", "=", "key_fingerprint").execute();
  await expect(openVault(store, { keyFile: join(folder, "none") })).rejects.toMatchObject({
    reason: "missing",
  });
  await writeKeys(join(folder, "another"), [newKey(1)]);
  await expect(openVault(store, { keyFile: join(folder, "another") })).rejects.toMatchObject({
    reason: "wrong",
  });
  expect(await readAll(store, await openVault(store, { keyFile }))).toEqual(EXPECTED);
  await expect(openVault(store, { keyFile: join(folder, "another") })).rejects.toMatchObject({
    reason: "wrong",
  });
});

test("another key refuses the start, also one of the same version", async () => {
  await using store = await createTestStore();
  const keyFile = join(await makeFolder(), "secret.key");
  await openVault(store, { keyFile });
  const kept = await readFile(keyFile, "utf8");
  await writeKeys(keyFile, [newKey(1), newKey(2)]);
  await expect(openVault(store, { keyFile })).rejects.toMatchObject({
    code: "KEY_UNUSABLE",
    reason: "wrong",
  });
  await writeFile(keyFile, kept, { mode: 0o600 });
  await openVault(store, { keyFile });
});

test.for([0o640, 0o604, 0o660, 0o644, 0o666])("a key file of mode %o is refused", async (mode) => {
  await using store = await createTestStore();
  const keyFile = join(await makeFolder(), "secret.key");
  await writeFile(keyFile, formatKeys([newKey(1)]));
  await chmod(keyFile, mode);
  await expect(openVault(store, { keyFile })).rejects.toMatchObject({
    code: "KEY_UNUSABLE",
    reason: "permissions",
  });
});

test("a folder in the key file's place is refused", async () => {
  await using store = await createTestStore();
  const keyFile = join(await makeFolder(), "secret.key");
  await mkdir(keyFile, { mode: 0o700 });
  await expect(openVault(store, { keyFile })).rejects.toMatchObject({
    code: "KEY_UNUSABLE",
    reason: "permissions",
  });
});

test("servers that start at once with one key file get one key", async () => {
  await using database = await createTestDatabase();
  const keyFile = join(await makeFolder(), "secret.key");
  await using stores = new AsyncDisposableStack();
  const opened = await Promise.all(
    Array.from({ length: 6 }, () => openStore({ ...database, maxConnections: 2 })),
  );
  for (const store of opened) stores.use(store);
  const vaults = await Promise.all(opened.map((store) => openVault(store, { keyFile })));
  const place = PLACES[0]!;
  const sealed = vaults[0]!.seal(new Secret("x"), place);
  for (const vault of vaults) expect(vault.open(sealed, place).reveal()).toBe("x");
});

test("of servers on different machines that start at once, only the one whose key is registered starts", async () => {
  await using database = await createTestDatabase();
  const folder = await makeFolder();
  await using stores = new AsyncDisposableStack();
  const opened = await Promise.all(
    Array.from({ length: 6 }, () => openStore({ ...database, maxConnections: 2 })),
  );
  for (const store of opened) stores.use(store);
  const results = await Promise.allSettled(
    opened.map((store, number) => openVault(store, { keyFile: join(folder, `${number}.key`) })),
  );
  expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
  const reasons = results.filter((result) => result.status === "rejected").map((result) => result.reason);
  expect(reasons.every((fault) => fault.code === "KEY_UNUSABLE" && fault.reason === "missing")).toBe(true);
  expect(await readdir(folder)).toHaveLength(1);
});

test("a new key: everything is encrypted anew, the old key opens nothing and the next start removes it", async () => {
  await using store = await createTestStore();
  const keyFile = join(await makeFolder(), "secret.key");
  const old = await openVault(store, { keyFile });
  await fill(store, old);
  expect(await rekey(store, { keyFile })).toMatchObject({ version: 2, count: 4 });
  await expect(readAll(store, old)).rejects.toMatchObject({ code: "KEY_UNUSABLE" });
  expect(await readAll(store, await openVault(store, { keyFile }))).toEqual(EXPECTED);
  expect((await findKeys(keyFile))!.map((key) => key.version)).toEqual([2]);
  expect(await rekey(store, { keyFile })).toMatchObject({ version: 3, count: 4 });
});

test("a new key under a running server: what it sealed before and writes after is not lost", async () => {
  await using store = await createTestStore();
  const keyFile = join(await makeFolder(), "secret.key");
  const vault = await openVault(store, { keyFile });
  await fill(store, vault);
  const late = vault.seal(new Secret("late"), PLACES[3]!);
  await rekey(store, { keyFile, vault });
  expect(await readAll(store, vault)).toEqual(EXPECTED);
  await store.db.updateTable("app").set({ deploy_key_private: late }).execute();
  expect((await readAll(store, vault)).at(-1)).toBe("late");
  const next = await openVault(store, { keyFile });
  expect((await findKeys(keyFile))!.map((key) => key.version)).toEqual([2]);
  expect((await readAll(store, next)).at(-1)).toBe("late");
});

test("a new key beside a server that knows nothing of it: what that one writes opens after its next start", async () => {
  await using store = await createTestStore();
  const keyFile = join(await makeFolder(), "secret.key");
  const unaware = await openVault(store, { keyFile });
  await fill(store, unaware);
  await rekey(store, { keyFile });
  const late = unaware.seal(new Secret("late"), PLACES[3]!);
  await store.db.updateTable("app").set({ deploy_key_private: late }).execute();
  expect((await readAll(store, await openVault(store, { keyFile }))).at(-1)).toBe("late");
  expect((await findKeys(keyFile))!.map((key) => key.version)).toEqual([2]);
});

test("starts and new keys at once leave a key file that opens everything", async () => {
  await using store = await createTestStore();
  const keyFile = join(await makeFolder(), "secret.key");
  await fill(store, await openVault(store, { keyFile }));
  await Promise.all(
    Array.from({ length: 8 }, (_, i) =>
      i % 2 === 0 ? rekey(store, { keyFile }) : openVault(store, { keyFile }),
    ),
  );
  expect(await readAll(store, await openVault(store, { keyFile }))).toEqual(EXPECTED);
});

test("readers never meet a secret that they cannot open while the key changes under them", async () => {
  await using store = await createTestStore();
  const keyFile = join(await makeFolder(), "secret.key");
  const vault = await openVault(store, { keyFile });
  await fill(store, vault);
  const changed = new AbortController();
  const reader = (async () => {
    let reads = 0;
    for (; !changed.signal.aborted; reads++) expect(await readAll(store, vault)).toEqual(EXPECTED);
    return reads;
  })();
  for (let round = 0; round < 5; round++) await rekey(store, { keyFile, vault });
  changed.abort();
  expect(await reader).toBeGreaterThan(0);
});

test("a crash before the commit of a new key: the old one is still in the file and in use", async () => {
  await using store = await createTestStore();
  const keyFile = join(await makeFolder(), "secret.key");
  await fill(store, await openVault(store, { keyFile }));
  const [present] = (await findKeys(keyFile))!;
  await store.db
    .updateTable("app")
    .set({ deploy_key_private: Buffer.from("not ours") })
    .execute();
  await expect(rekey(store, { keyFile })).rejects.toMatchObject({ code: "KEY_UNUSABLE", reason: "wrong" });
  expect(await findKeys(keyFile)).toEqual([present, expect.objectContaining({ version: 2 })]);
  await store.db.updateTable("app").set({ deploy_key_private: null }).execute();
  const vault = await openVault(store, { keyFile });
  expect(await findKeys(keyFile)).toEqual([present]);
  expect(
    vault
      .open(
        (await store.db.selectFrom("connection").select("token").executeTakeFirstOrThrow()).token,
        PLACES[0]!,
      )
      .reveal(),
  ).toBe("secret of token");
});

test("a crash after the commit of a new key: the file still holds it, and the next start tidies it", async () => {
  await using store = await createTestStore();
  const keyFile = join(await makeFolder(), "secret.key");
  const vault = await openVault(store, { keyFile });
  await fill(store, vault);
  await rekey(store, { keyFile, vault }); // leaves both keys, as a crash before the last write does
  expect((await findKeys(keyFile))!.map((key) => key.version)).toEqual([1, 2]);
  expect(await readAll(store, await openVault(store, { keyFile }))).toEqual(EXPECTED);
  expect((await findKeys(keyFile))!.map((key) => key.version)).toEqual([2]);
});

test("new keys asked for at once come one after another", async () => {
  await using store = await createTestStore();
  const keyFile = join(await makeFolder(), "secret.key");
  const vault = await openVault(store, { keyFile });
  await fill(store, vault);
  const results = await Promise.all(Array.from({ length: 4 }, () => rekey(store, { keyFile, vault })));
  expect(results.map((result) => result.version).sort((a, b) => a - b)).toEqual([2, 3, 4, 5]);
  expect(await readAll(store, await openVault(store, { keyFile }))).toEqual(EXPECTED);
});
