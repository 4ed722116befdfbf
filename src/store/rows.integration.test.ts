import { readFile } from "node:fs/promises";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { createTestStore } from "../../test/support/database.ts";
import { renderRows } from "../../test/support/render-rows.ts";

test("rows.ts is what the migrated schema says (npm run store:types writes it)", async () => {
  await using store = await createTestStore();
  const committed = await readFile(new URL("rows.ts", import.meta.url), "utf8");
  expect(committed).toBe(await renderRows(store.db));
});

test("a column, a nullability, a default and a list of words that change are seen", async () => {
  await using store = await createTestStore();
  const before = await renderRows(store.db);
  await sql`alter table app add column extra_thing boolean default true`.execute(store.db);
  await sql`alter table app alter column name drop not null`.execute(store.db);
  await sql`alter table outbox drop constraint outbox_kind_check, add check (kind in ('commit_status', 'note'))`.execute(
    store.db,
  );
  const after = await renderRows(store.db);
  const added = after.split("\n").filter((line) => !before.includes(line));
  expect(added).toEqual([
    "  extra_thing: Generated<boolean> | null;",
    "  name: string | null;",
    '  kind: "commit_status" | "note";',
  ]);
});

test("a type that has no reading yet is refused instead of guessed", async () => {
  await using store = await createTestStore();
  await sql`alter table app add column price numeric`.execute(store.db);
  await expect(renderRows(store.db)).rejects.toThrow("app.price: numeric");
});
