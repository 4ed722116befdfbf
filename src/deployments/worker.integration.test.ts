import { readdir } from "node:fs/promises";
import { sql } from "kysely";
import { sample } from "../../test/support/sample.ts";
import { expect, test } from "vitest";
import { HOST } from "../../test/support/deploy-stage.ts";
import { ended, gate, openStage, until, work } from "../../test/support/deploy-work.ts";
import { Fault } from "../faults/fault.ts";
import { claimNext, listWaitingEnvironments } from "./claim.ts";
import { enqueueRelease, releases, requestCancel, requestRollback } from "./requests.ts";
import { restoreService } from "./restore.ts";
import { runOutbox } from "./outbox.ts";
import { pathsOf } from "./target.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);
const C = "c".repeat(40);

test("a push goes live step by step, and GitLab is told in order", async () => {
  const stage = await openStage();
  work(stage);
  const stopping = new AbortController();
  const outbox = runOutbox(stage.parts, stopping.signal);
  const id = await stage.push(A);
  await ended(stage, id, "live");
  expect(await stage.edge.ask(HOST)).toBe(A);
  const steps = await stage.store.db
    .selectFrom("deployment_step")
    .select(["name", "state"])
    .where("deployment_id", "=", id)
    .orderBy("started_at")
    .execute();
  expect(steps.map((step) => `${step.name} ${step.state}`)).toEqual([
    "check out done",
    "build done",
    "release done",
    "start done",
    "health check done",
    "switch done",
    "drain done",
  ]);
  await until(async () => stage.statuses.length === 3);
  expect(stage.statuses.map((status) => `${status.sha.slice(0, 1)} ${status.state}`)).toEqual([
    "a pending",
    "a running",
    "a success",
  ]);
  stopping.abort();
  await outbox;
});

test("a token that dies fails its deployment, and what comes behind waits, save what needs no GitLab", async () => {
  const stage = await openStage();
  work(stage);
  await ended(stage, await stage.push(A), "live");
  await ended(stage, await stage.push(B), "live");
  stage.before = async (call) => {
    if (call === "checkOut") throw Fault.of("GIT_AUTH_FAILED", "");
  };
  const died = await stage.push(C);
  await ended(stage, died, "failed");
  const connection = await stage.store.db
    .selectFrom("connection")
    .select(["trouble", "paused_at"])
    .executeTakeFirstOrThrow();
  expect(connection).toMatchObject({ trouble: { code: "GIT_AUTH_FAILED" }, paused_at: expect.any(Date) });
  stage.before = async () => {};
  const back = await requestRollback(
    { ...stage.parts, enqueue: stage.enqueue },
    stage.environmentId,
    undefined,
  );
  await ended(stage, back.id, "live");
  expect(await stage.edge.ask(HOST)).toBe(A);
  const waiting = await stage.push("d".repeat(40));
  expect(await claimNext(stage.parts, stage.environmentId)).toEqual({ kind: "nothing" });
  expect(await listWaitingEnvironments(stage.store)).toEqual([]);
  await stage.store.db.updateTable("connection").set({ paused_at: null }).execute();
  await ended(stage, waiting, "live");
});

test("a broken app leaves the old release serving and nothing behind", async () => {
  const stage = await openStage();
  work(stage);
  await ended(stage, await stage.push(A), "live");
  for (const how of ["exit", 500, "upgrade"] as const) {
    stage.runtime.behaviour.set(B, how);
    const broken = await stage.push(B);
    await ended(stage, broken, "failed");
    const row = await stage.store.db
      .selectFrom("deployment")
      .select("fault")
      .where("id", "=", broken)
      .executeTakeFirstOrThrow();
    const reason = { exit: "exited", 500: "bad_status", upgrade: "timeout" }[how];
    expect(row.fault).toMatchObject({ code: "UNHEALTHY", reason });
  }
  expect(await stage.edge.ask(HOST)).toBe(A);
  expect(stage.runtime.replicas.size).toBe(1);
  expect(await stage.store.db.selectFrom("release").select("commit_sha").execute()).toEqual([
    { commit_sha: A },
  ]);
  expect(await readdir(pathsOf(stage.parts.dataDir, stage.environmentId).releases)).toHaveLength(1);
});

test("pushes during a deployment fold into the newest; the same commit in between is deployed again", async () => {
  const stage = await openStage();
  const standing = gate(stage, "build");
  work(stage);
  const first = await stage.push(A);
  await standing.reached;
  const second = await stage.push(B);
  const third = await stage.push(C);
  const fourth = await stage.push(A);
  expect([await stage.state(second), await stage.state(third)]).toEqual(["superseded", "superseded"]);
  standing.open();
  await ended(stage, first, "live");
  await ended(stage, fourth, "live");
  const { rows } = await sql<{
    n: number;
  }>`select count(*)::int as n from deployment where state = 'live'`.execute(stage.store.db);
  expect(rows[0]?.n).toBe(2);
});

const STOPPABLE = ["checkOut", "build", "start"];

test.each(STOPPABLE)("cancelled at %s: ends at once, what was live stays", async (call) => {
  const stage = await openStage();
  work(stage);
  await ended(stage, await stage.push(A), "live");
  const standing = gate(stage, call);
  const id = await stage.push(B);
  await standing.reached;
  await requestCancel({ ...stage.parts, enqueue: stage.enqueue }, id);
  // `start` takes no signal: it is let through once the cancellation is written, and the next step stops
  await until(
    async () =>
      (
        await stage.store.db
          .selectFrom("deployment")
          .select("cancel_requested_at")
          .where("id", "=", id)
          .executeTakeFirstOrThrow()
      ).cancel_requested_at !== null,
  );
  if (call === "start") standing.open();
  await ended(stage, id, "cancelled");
  expect(await stage.edge.ask(HOST)).toBe(A);
  expect(stage.runtime.replicas.size).toBe(1);
});

test("cancelled while notifications are lost: the next step is not begun", async () => {
  const stage = await openStage();
  const deaf = { ...stage.parts.store, listen: async () => ({ [Symbol.asyncDispose]: async () => {} }) };
  work(stage, { ...stage.parts, store: deaf });
  const standing = gate(stage, "build");
  const id = await stage.push(A);
  await standing.reached;
  await requestCancel({ ...stage.parts, enqueue: stage.enqueue }, id);
  standing.open();
  await ended(stage, id, "cancelled");
  expect(stage.runtime.calls.map((call) => call.name)).not.toContain("start");
});

test("a queued deployment is cancelled without any worker", async () => {
  const stage = await openStage();
  const id = await stage.push(A);
  await requestCancel({ ...stage.parts, enqueue: stage.enqueue }, id);
  expect(await stage.state(id)).toBe("cancelled");
  await expect(requestCancel({ ...stage.parts, enqueue: stage.enqueue }, id)).rejects.toMatchObject({
    code: "CONFLICT",
  });
});

test("cancelled while the edge is switching: whichever came first, rows and edge agree", async () => {
  const stage = await openStage();
  work(stage);
  await ended(stage, await stage.push(A), "live");
  const standing = gate(stage, "switchRoute");
  const id = await stage.push(B);
  await standing.reached;
  await requestCancel({ ...stage.parts, enqueue: stage.enqueue }, id);
  standing.open();
  await until(async () => ["live", "cancelled"].includes(await stage.state(id)));
  expect(await stage.edge.ask(HOST)).toBe((await stage.state(id)) === "live" ? B : A);
});

const SILENT_AT = ["checkOut", "build", "start", "switchRoute", "switched", "drain", "stop"];

test.each(sample("a worker lost at", SILENT_AT, 3))(
  "a worker lost at %s: another one finishes, the first is fenced off and changes nothing",
  async (call) => {
    const stage = await openStage();
    const stopFirst = work(stage);
    await ended(stage, await stage.push(A), "live");
    const standing = gate(stage, call);
    const id = await stage.push(B);
    await standing.reached;
    const held = await stage.store.db
      .selectFrom("deployment")
      .select("attempt")
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    await sql`update deployment set heartbeat_at = now() - interval '1 minute', attempt = attempt where id = ${id}`.execute(
      stage.store.db,
    );
    await sql`update pgboss.job set heartbeat_on = now() - interval '1 minute' where state = 'active'`.execute(
      stage.store.db,
    );
    const stopSecond = work(stage, stage.otherWorker("wrk_second"));
    await until(async () => {
      // the first worker's own beat may come first: it is silenced again until the second has the claim
      await sql`update deployment set heartbeat_at = now() - interval '1 minute' where id = ${id} and attempt = ${held.attempt}`.execute(
        stage.store.db,
      );
      await sql`update pgboss.job set heartbeat_on = now() - interval '1 minute' where state = 'active' and data->>'environmentId' = ${stage.environmentId}
      and exists (select 1 from deployment where id = ${id} and attempt = ${held.attempt})`.execute(
        stage.store.db,
      );
      const row = await stage.store.db
        .selectFrom("deployment")
        .select("attempt")
        .where("id", "=", id)
        .executeTakeFirstOrThrow();
      return row.attempt > held.attempt;
    });
    standing.open();
    await ended(stage, id, "live");
    expect(await stage.edge.ask(HOST)).toBe(B);
    await until(async () => stage.runtime.replicas.size === 1);
    await stopFirst();
    await stopSecond();
    expect(await stage.edge.ask(HOST)).toBe(B);
    const open = await stage.store.db
      .selectFrom("replica")
      .select("id")
      .where("state", "<>", "stopped")
      .execute();
    expect(open).toHaveLength(1);
  },
);

test("Fairlead stops in the middle: the deployment goes back into the queue and the next one finishes it", async () => {
  const stage = await openStage();
  const stop = work(stage);
  const standing = gate(stage, "build");
  const id = await stage.push(A);
  await standing.reached;
  await stop();
  expect(await stage.state(id)).toBe("queued");
  expect(stage.runtime.replicas.size).toBe(0);
  work(stage, stage.otherWorker("wrk_next"));
  await ended(stage, id, "live");
});

test("a rollback starts the release before the live one without building, and polling is not told to undo it", async () => {
  const stage = await openStage();
  work(stage);
  await ended(stage, await stage.push(A), "live");
  await ended(stage, await stage.push(B), "live");
  const calls = stage.runtime.calls.length;
  const view = await requestRollback(
    { ...stage.parts, enqueue: stage.enqueue },
    stage.environmentId,
    undefined,
  );
  expect(view).toMatchObject({ cause: "rollback", commit: A });
  await ended(stage, view.id, "live");
  expect(await stage.edge.ask(HOST)).toBe(A);
  expect(stage.runtime.calls.slice(calls).map((call) => call.name)).not.toContain("build");
  const environment = await stage.store.db
    .selectFrom("environment")
    .select("wanted_commit")
    .executeTakeFirstOrThrow();
  expect(environment.wanted_commit).toBe(B);
  await expect(
    requestRollback({ ...stage.parts, enqueue: stage.enqueue }, stage.environmentId, undefined),
  ).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("five releases are kept, the live one always among them", async () => {
  const stage = await openStage();
  work(stage);
  for (const letter of "abcdef01") await ended(stage, await stage.push(letter.repeat(40)), "live");
  await until(async () => (await stage.store.db.selectFrom("release").select("id").execute()).length === 5);
  const oldest = await releases(stage.parts, stage.environmentId)
    .orderBy("r.created_at")
    .limit(1)
    .executeTakeFirstOrThrow();
  expect(oldest.commit).toBe("d".repeat(40));
  await stage.store.transaction((tx) =>
    enqueueRelease(stage.enqueue, tx, stage.environmentId, "rollback", oldest),
  );
  await until(async () => (await stage.edge.ask(HOST)) === "d".repeat(40));
  await ended(stage, await stage.push("2".repeat(40)), "live");
  const folders = (): Promise<string[]> =>
    readdir(pathsOf(stage.parts.dataDir, stage.environmentId).releases);
  await until(async () => (await folders()).length === 5); // the oldest goes after the newest is live
});

test("a release that a rollback waits for is kept", async () => {
  const stage = await openStage();
  work(stage);
  for (const letter of "abcde") await ended(stage, await stage.push(letter.repeat(40)), "live");
  const standing = gate(stage, "drain");
  const sixth = await stage.push("f".repeat(40));
  await standing.reached; // from here its end would take the oldest release away
  const oldest = await releases(stage.parts, stage.environmentId)
    .orderBy("r.created_at")
    .limit(1)
    .executeTakeFirstOrThrow();
  const { deploymentId } = await stage.store.transaction((tx) =>
    enqueueRelease(stage.enqueue, tx, stage.environmentId, "rollback", oldest),
  );
  standing.open();
  await ended(stage, sixth, "live");
  await ended(stage, deploymentId, "live");
  expect(await stage.edge.ask(HOST)).toBe(A);
});

test("a live release without a replica is started again; a replica without a row is stopped", async () => {
  const stage = await openStage();
  work(stage);
  await ended(stage, await stage.push(A), "live");
  const [[lostId, lost]] = stage.runtime.replicas as unknown as [[string, { server: { close(): void } }]];
  lost.server.close();
  stage.runtime.replicas.delete(lostId);
  const stopping = new AbortController();
  const service = restoreService(stage.parts, stage.enqueue, stopping.signal);
  await until(async () => (await stage.edge.ask(HOST)) === A);
  stopping.abort();
  await service;
  const causes = await stage.store.db.selectFrom("deployment").select("cause").orderBy("number").execute();
  expect(causes.map((row) => row.cause)).toEqual(["push", "restart"]);
});
