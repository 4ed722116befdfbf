import { sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { createTestStore } from "../../test/support/database.ts";
import { createStage } from "../../test/support/deploy-stage.ts";
import { deleteOldRows } from "./retention.ts";

test("old logs, sent reports and events go in batches; young ones, pending ones and the deployments stay", async () => {
  const store = await createTestStore();
  const stage = await createStage(store);
  onTestFinished(async () => {
    await stage[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });
  const [old, young] = [await stage.push("a".repeat(40)), await stage.push("b".repeat(40))];
  await sql`update deployment set state = 'failed', finished_at = now() - interval '31 days' where id = ${old}`.execute(
    store.db,
  );
  await sql`insert into log_chunk (deployment_id, seq, text) select ${old}, n, 'x' from generate_series(1, 12000) n`.execute(
    store.db,
  );
  await sql`insert into log_chunk (deployment_id, seq, text) values (${young}, 1, 'kept')`.execute(store.db);
  await sql`update outbox set created_at = now() - interval '8 days'`.execute(store.db);
  await sql`update outbox set state = 'sent' where id = (select min(id) from outbox)`.execute(store.db);
  await sql`insert into event (app_id, at, kind, text) values
    (${stage.appId}, now() - interval '366 days', 'live', 'old'), (${stage.appId}, now(), 'live', 'kept')`.execute(
    store.db,
  );
  const pending = await store.db.selectFrom("outbox").select("id").where("state", "=", "pending").execute();

  expect(await deleteOldRows(store.db, AbortSignal.timeout(20_000))).toBe(12_000 + 1 + 1);

  expect(await store.db.selectFrom("log_chunk").select("text").execute()).toEqual([{ text: "kept" }]);
  expect(await store.db.selectFrom("event").select("text").execute()).toEqual([{ text: "kept" }]);
  expect(await store.db.selectFrom("outbox").select("id").execute()).toEqual(pending);
  expect(await store.db.selectFrom("deployment").select("id").execute()).toHaveLength(2);
});
