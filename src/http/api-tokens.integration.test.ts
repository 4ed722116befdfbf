import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTestStore } from "../../test/support/database.ts";
import { createApiTokens, ensureApiToken } from "./api-tokens.ts";

async function makeFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "fairlead-token-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

test("the first start makes one private token; later starts keep it", async () => {
  await using store = await createTestStore();
  await using folder = await makeFolder();
  const first = await ensureApiToken(store, join(folder.path, "data"));
  const second = await ensureApiToken(store, join(folder.path, "data"));
  expect(second.token.reveal()).toBe(first.token.reveal());
  expect((await stat(first.path)).mode & 0o777).toBe(0o600);
  expect((await readFile(first.path, "utf8")).trim()).toBe(first.token.reveal());
  expect(await createApiTokens(store).verify(first.token.reveal())).toBe("local");
  const rows = await store.db.selectFrom("api_token").selectAll().execute();
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows)).not.toContain(first.token.reveal());
});

test("what is not the token opens nothing", async () => {
  await using store = await createTestStore();
  await using folder = await makeFolder();
  const { token } = await ensureApiToken(store, folder.path);
  const [row] = await store.db.selectFrom("api_token").select("hash").execute();
  const wrong = [
    "",
    "x",
    row!.hash,
    `${token.reveal()} `,
    token.reveal().slice(0, -1),
    `flt_${"a".repeat(43)}`,
    "flt_%",
  ];
  for (const text of wrong) expect(await createApiTokens(store).verify(text)).toBeNull();
});

test.each(["deleted", "readable by others", "of another database", "garbage"])(
  "a file that is %s is replaced, and the token before is worth nothing",
  async (trouble) => {
    await using store = await createTestStore();
    await using folder = await makeFolder();
    const before = await ensureApiToken(store, folder.path);
    if (trouble === "deleted") await rm(before.path);
    if (trouble === "readable by others") await chmod(before.path, 0o644);
    if (trouble === "of another database") await writeFile(before.path, `flt_${"b".repeat(43)}\n`);
    if (trouble === "garbage") await writeFile(before.path, "\u0000\u0000");
    const after = await ensureApiToken(store, folder.path);
    expect(after.token.reveal()).not.toBe(before.token.reveal());
    expect((await stat(after.path)).mode & 0o777).toBe(0o600);
    expect(await createApiTokens(store).verify(before.token.reveal())).toBeNull();
    expect(await createApiTokens(store).verify(after.token.reveal())).toBe("local");
  },
);
