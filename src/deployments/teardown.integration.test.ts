import { expect, test } from "vitest";
import { HOST, type Stage } from "../../test/support/deploy-stage.ts";
import { ended, openStage, until, work } from "../../test/support/deploy-work.ts";
import { waitUntil } from "../kernel/retry.ts";
import { alignEdge } from "./align-edge.ts";
import { restoreService } from "./restore.ts";
import { tearDown } from "./teardown.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);

async function markRemoving(stage: Stage): Promise<void> {
  await stage.store.db
    .updateTable("app")
    .set({ removing_at: new Date() })
    .where("id", "=", stage.appId)
    .execute();
}

/** One look of the loop that keeps what should serve serving. */
async function lookOnce(stage: Stage): Promise<void> {
  const stopping = new AbortController();
  let lists = 0;
  const counted = { ...stage.runtime, list: async () => (lists++, stage.runtime.list()) };
  const service = restoreService({ ...stage.parts, runtime: counted }, stage.enqueue, stopping.signal);
  await waitUntil(() => lists > 0, { everyMs: 10, signal: AbortSignal.timeout(10_000) });
  stopping.abort();
  await service;
}

test("what waits is cancelled and GitLab is told, nothing new is queued, and nobody brings the host back", async () => {
  const stage = await openStage();
  const stop = work(stage);
  await ended(stage, await stage.push(A), "live");
  await stop();
  const waiting = await stage.push(B);
  const held = stage.edge.table.get(HOST);
  await markRemoving(stage);
  await expect(stage.push(A)).rejects.toMatchObject({ code: "CONFLICT" });
  await tearDown(stage.parts, stage.environmentId);
  expect(await stage.state(waiting)).toBe("cancelled");
  const reports = await stage.store.db
    .selectFrom("outbox")
    .select("payload")
    .where("order_key", "like", `%${B}`)
    .orderBy("id")
    .execute();
  expect(reports.map((row) => row.payload)).toMatchObject([{ state: "pending" }, { state: "canceled" }]);
  expect(stage.runtime.replicas.size).toBe(0);
  expect(stage.edge.table.has(HOST)).toBe(false);
  const late = await stage.edge.switchRoute({ ...held!, generation: held!.generation + 1 });
  expect(late.applied).toBe(false);
});

test("an app that is being unlinked is not started again", async () => {
  const stage = await openStage();
  const stop = work(stage);
  await ended(stage, await stage.push(A), "live");
  await stop();
  await markRemoving(stage);
  for (const id of stage.runtime.replicas.keys()) await stage.runtime.stop(id, null, 0);
  await lookOnce(stage);
  const causes = await stage.store.db.selectFrom("deployment").select("cause").execute();
  expect(causes).toEqual([{ cause: "push" }]);
});

test("a replica whose environment is gone is stopped, although its row says that it serves", async () => {
  const stage = await openStage();
  const stop = work(stage);
  await ended(stage, await stage.push(A), "live");
  await stop();
  await stage.store.db.deleteFrom("app").where("id", "=", stage.appId).execute();
  await lookOnce(stage);
  await until(async () => stage.runtime.replicas.size === 0);
  const rows = await stage.store.db.selectFrom("replica").select("state").execute();
  expect(rows).toEqual([{ state: "stopped" }]);
});

test("aligning the edge leaves a switch under way alone, and deployments go on above what the edge holds", async () => {
  const stage = await openStage();
  work(stage);
  await ended(stage, await stage.push(A), "live");
  const id = await stage.push(B);
  await ended(stage, id, "live");
  const row = stage.edge.table.get(HOST)!;
  const { db } = stage.store;
  // another host was recorded later; this one's switch is acknowledged and its worker has not written it yet
  await db
    .updateTable("deployment")
    .set({ state: "switching", finished_at: null })
    .where("id", "=", id)
    .execute();
  await db.updateTable("deployment").set({ heartbeat_at: new Date() }).where("id", "=", id).execute();
  await db
    .updateTable("route")
    .set({ generation: row.generation - 1, release_id: "rel_before" })
    .execute();
  await db
    .insertInto("route")
    .values({
      host: "other.localhost",
      environment_id: stage.environmentId,
      release_id: "rel_other",
      targets: "[]",
      generation: row.generation + 1000,
    })
    .execute();
  await alignEdge(stage.parts);
  expect(stage.edge.table.get(HOST)).toEqual(row);
  expect(stage.edge.table.get("other.localhost")?.releaseId).toBe("rel_other");
  await db
    .updateTable("deployment")
    .set({ state: "live", finished_at: new Date() })
    .where("id", "=", id)
    .execute();
  await alignEdge(stage.parts); // the edge knows the other host's generation, the sequence does not
  await ended(stage, await stage.push(A), "live");
  expect(stage.edge.table.get(HOST)!.generation).toBeGreaterThan(row.generation + 1000);
});
