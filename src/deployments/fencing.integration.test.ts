import { sql } from "kysely";
import { expect, test } from "vitest";
import { HOST, type Stage } from "../../test/support/deploy-stage.ts";
import { ended, openStage, until, work } from "../../test/support/deploy-work.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);

/** Makes the worker that holds a deployment look dead, until another has raised its attempt. */
async function takeOver(stage: Stage, id: string): Promise<void> {
  const { db } = stage.store;
  const attempt = async (): Promise<number> =>
    (await db.selectFrom("deployment").select("attempt").where("id", "=", id).executeTakeFirstOrThrow())
      .attempt;
  const held = await attempt();
  await until(async () => {
    await sql`update deployment set heartbeat_at = now() - interval '1 minute' where id = ${id} and attempt = ${held}`.execute(
      db,
    );
    await sql`update pgboss.job set heartbeat_on = now() - interval '1 minute'
      where state = 'active' and exists (select 1 from deployment where id = ${id} and attempt = ${held})`.execute(
      db,
    );
    return (await attempt()) > held;
  });
}

test.each([
  { first: true, serving: null },
  { first: false, serving: A },
])(
  "a switch that comes after its worker was given up is refused (first deployment: $first)",
  async ({ first, serving }) => {
    const stage = await openStage();
    work(stage);
    if (!first) await ended(stage, await stage.push(A), "live");
    const late = Promise.withResolvers<void>();
    const atSwitch = Promise.withResolvers<void>();
    const again = Promise.withResolvers<void>();
    const atBuild = Promise.withResolvers<void>();
    const builds: string[] = [];
    let switches = 0;
    stage.before = async (call) => {
      if (call === "build" && builds.push(call) === 2) {
        atBuild.resolve();
        await again.promise;
      }
      if (call === "switchRoute" && ++switches === 1) {
        atSwitch.resolve();
        await late.promise;
      }
    };
    const id = await stage.push(B);
    await atSwitch.promise;
    work(stage, stage.otherWorker("wrk_second"));
    await takeOver(stage, id);
    await atBuild.promise; // what the first worker had started is stopped by now
    late.resolve();
    await until(async () => {
      const { rows } = await sql<{ state: string }>`
        select state from deployment_step where deployment_id = ${id} and attempt = 1 and name = 'switch'`.execute(
        stage.store.db,
      );
      return rows[0]?.state === "failed";
    });
    expect(await stage.edge.ask(HOST)).toBe(serving);
    expect(stage.edge.table.get(HOST)?.releaseId === undefined).toBe(first);
    again.resolve();
    await ended(stage, id, "live");
    expect(await stage.edge.ask(HOST)).toBe(B);
  },
);

test("cancelled while its worker is lost: it is put back and not tried again", async () => {
  const stage = await openStage();
  const id = await stage.push(A);
  await sql`update deployment set state = 'building', attempt = 1, heartbeat_at = now() - interval '1 minute',
    cancel_requested_at = now() where id = ${id}`.execute(stage.store.db);
  work(stage);
  await ended(stage, id, "cancelled");
  expect(stage.runtime.calls.map((call) => call.name)).not.toContain("build");
  const { attempt } = await stage.store.db
    .selectFrom("deployment")
    .select("attempt")
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
  expect(attempt).toBe(2);
});
