import { sql } from "kysely";
import { expect, test } from "vitest";
import { createTestStore } from "../../test/support/database.ts";

test("a fresh store is migrated and reads bigint as number and date as text", async () => {
  await using store = await createTestStore();
  const { rows } = await sql`select 42::bigint as big, date '2026-01-31' as day, now() as at`.execute(
    store.db,
  );
  expect(rows).toEqual([{ big: 42, day: "2026-01-31", at: expect.any(Date) }]);
  expect(await store.db.selectFrom("deployment").selectAll().execute()).toEqual([]);
});
