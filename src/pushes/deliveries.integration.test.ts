import { describe, expect, test } from "vitest";
import { deployed, fromGitLab, pushBody, setUpPushes, sha } from "../../test/support/pushes-world.ts";
import { Fault } from "../faults/fault.ts";
import type { Clock } from "../kernel/clock.ts";
import { withProjectLock } from "../apps/project-lock.ts";
import { createPolling } from "./polling.ts";
import { deleteOldDeliveries } from "./retention.ts";

describe("deliveries", () => {
  test("are listed newest first, without their payload, up to the limit", async () => {
    const world = await setUpPushes();
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const answer = await world.pushes.accept(fromGitLab(world, pushBody({ branch: `b${i}` })));
      if (answer.kind === "accepted") ids.unshift(answer.deliveryId);
    }
    const list = await world.pushes.list("shop", 2);
    expect(list.map((one) => one.id)).toEqual(ids.slice(0, 2));
    expect(list[0]).toEqual({
      id: ids[0],
      project: "acme/shop",
      receivedAt: expect.any(Date),
      event: "push",
      ref: "refs/heads/b2",
      state: "received",
      verdict: null,
      reason: null,
      trace: [],
      deployments: [],
      processedAt: null,
    });
    for (const limit of [0, -1, Number.NaN, 1e9])
      expect((await world.pushes.list("shop", limit)).length).toBeGreaterThan(0);
  });

  test.each(["nope", "__proto__", "dlv_' or 1=1 --"])("%s is not found", async (name) => {
    const world = await setUpPushes();
    const { pushes } = world;
    const works = [
      () => pushes.list(name, 1),
      () => pushes.get(name),
      () => pushes.replay(name),
      () => pushes.dryRun(name, "main"),
    ];
    for (const work of works) await expect(work()).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("a replay is a new delivery that names the old one and is decided anew, not as its duplicate", async () => {
    const world = await setUpPushes();
    world.gitlab.push("main", sha("b"));
    const answer = await world.pushes.accept(fromGitLab(world, pushBody()));
    const id = answer.kind === "accepted" ? answer.deliveryId : "";
    await world.settle();
    world.gitlab.push("main", sha("c"));
    const replay = await world.pushes.replay(id);
    expect(replay).toMatchObject({ state: "received", trace: [`Replay of ${id}`], ref: "refs/heads/main" });
    await world.settle();
    expect(await world.pushes.get(replay.id)).toMatchObject({ verdict: "deployed" });
    expect((await world.pushes.get(replay.id)).trace[0]).toBe(`Replay of ${id}`);
    expect(await deployed(world.store)).toEqual([sha("b"), sha("c")]);
  });

  test("a dry run says what would happen and changes nothing", async () => {
    const world = await setUpPushes();
    expect(await world.pushes.dryRun("shop", "main")).toEqual({
      ref: "main",
      commit: sha("a"),
      outcomes: [
        { environment: "shop/production", deploys: false, reason: expect.stringContaining("last told") },
      ],
    });
    world.gitlab.push("main", sha("b"));
    expect(await world.pushes.dryRun("shop", "refs/heads/main")).toMatchObject({
      ref: "main",
      commit: sha("b"),
      outcomes: [{ deploys: true }],
    });
    expect(await world.pushes.dryRun("shop", "nope")).toMatchObject({
      commit: null,
      outcomes: [{ deploys: false }],
    });
    expect(await world.pushes.dryRun("shop", "")).toMatchObject({ commit: null });
    expect(await deployed(world.store)).toEqual([]);
    expect(await world.pushes.list("shop", 10)).toEqual([]);
  });

  test("older than 30 days are deleted in batches, younger ones and deployments stay", async () => {
    const world = await setUpPushes();
    world.gitlab.push("main", sha("b"));
    await world.pushes.accept(fromGitLab(world, pushBody()));
    await world.settle();
    await world.store.pool.query("update delivery set received_at = now() - interval '31 days'");
    await world.store.pool.query(
      "insert into delivery (id, linked_project_id, event, headers, payload, body_bytes, state, received_at) select 'dlv_' || n, p.id, 'push', '{}', '{}', 0, 'processed', now() - interval '40 days' from generate_series(1, 2500) n, linked_project p",
    );
    await world.pushes.accept(fromGitLab(world, pushBody({ branch: "young" })));
    expect(await deleteOldDeliveries(world.store.db, new AbortController().signal)).toBe(2501);
    expect((await world.pushes.list("shop", 10)).map((one) => one.ref)).toEqual(["refs/heads/young"]);
    expect(await deployed(world.store)).toEqual([sha("b")]);
  });
});

describe("polling", () => {
  async function poll(
    world: Awaited<ReturnType<typeof setUpPushes>>,
    clock: Clock,
    until: () => Promise<boolean> | boolean,
  ): Promise<void> {
    const stop = new AbortController();
    const running = createPolling({
      ...world.pushesDeps,
      clock,
      intervals: { withoutHookMs: 60_000, withHookMs: 600_000, tickMs: 5 },
    }).run(stop.signal);
    await expect.poll(until, { timeout: 5000 }).toBe(true);
    stop.abort();
    await running;
  }
  const looks = (world: Awaited<ReturnType<typeof setUpPushes>>): number =>
    world.gitlab.calls.filter((name) => name === "findBranch").length;

  test("at the start finds what no webhook told, and leaves a delivery that says so", async () => {
    const world = await setUpPushes();
    world.gitlab.push("main", sha("b"));
    await poll(world, { now: () => 0 }, async () => (await deployed(world.store)).length === 1);
    const [delivery] = await world.pushes.list("shop", 10);
    expect(delivery).toMatchObject({
      event: "Poll",
      ref: "refs/heads/main",
      verdict: "deployed",
      state: "processed",
    });
    expect(delivery?.trace[0]).toContain("Found by polling");
    expect(delivery?.deployments).toHaveLength(1);
  });

  test("writes nothing when nothing is new, when the branch is gone, when the head says skip", async () => {
    const world = await setUpPushes();
    world.gitlab.calls.length = 0;
    await poll(world, { now: () => 0 }, () => looks(world) === 1);
    world.gitlab.heads.clear();
    await poll(world, { now: () => 0 }, () => looks(world) === 2);
    world.gitlab.push("main", sha("b"), "x [skip ci]");
    await poll(world, { now: () => 0 }, () => looks(world) === 3);
    expect(await world.pushes.list("shop", 10)).toEqual([]);
    expect(await deployed(world.store)).toEqual([]);
  });

  test("looks every minute where GitLab does not call, every ten where it does", async () => {
    const world = await setUpPushes();
    world.gitlab.calls.length = 0;
    let now = 0;
    const stop = new AbortController();
    const running = createPolling({
      ...world.pushesDeps,
      clock: { now: () => now },
      intervals: { tickMs: 5 },
    }).run(stop.signal);
    await expect.poll(() => looks(world)).toBe(1);
    now = 599_999;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(looks(world)).toBe(1);
    now = 600_000;
    await expect.poll(() => looks(world)).toBe(2);
    await world.store.pool.query("update linked_project set hook_state = 'polling'");
    now = 659_999;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(looks(world)).toBe(2);
    now = 660_000;
    await expect.poll(() => looks(world)).toBe(3);
    stop.abort();
    await running;
  });

  test("leaves a project alone that is being linked or unlinked, and outlives a GitLab that is away", async () => {
    const world = await setUpPushes();
    const linked = await world.store.db.selectFrom("linked_project").selectAll().executeTakeFirstOrThrow();
    world.gitlab.push("main", sha("b"));
    world.gitlab.calls.length = 0;
    let now = 0;
    const stop = new AbortController();
    const polling = createPolling({
      ...world.pushesDeps,
      clock: { now: () => now },
      intervals: { tickMs: 5 },
    });
    let running = Promise.resolve();
    await withProjectLock(world.store, `${linked.connection_id}/42`, { waitMs: 1000 }, async () => {
      running = polling.run(stop.signal);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(looks(world)).toBe(0);
    });
    world.gitlab.fail("findBranch", Fault.of("UNREACHABLE", "refused"));
    now = 600_000;
    await expect.poll(() => looks(world)).toBe(1);
    now = 1_200_000;
    await expect.poll(() => deployed(world.store)).toEqual([sha("b")]);
    stop.abort();
    await running;
  });
});
