import { describe, expect, test } from "vitest";
import { request } from "../../test/support/apps-world.ts";
import { deployed, send, setUpPushes, sha, untilIdle, ZEROS } from "../../test/support/pushes-world.ts";

describe("a push", () => {
  test("deploys the head as it is when it is read, not what the payload says", async () => {
    const world = await setUpPushes();
    world.gitlab.push("main", sha("c"), "Newest\n\nbody");
    const id = await send(world, { after: sha("b") });
    await world.settle();
    expect(await deployed(world.store)).toEqual([sha("c")]);
    const delivery = await world.pushes.get(id);
    expect(delivery).toMatchObject({
      project: "acme/shop",
      ref: "refs/heads/main",
      state: "processed",
      verdict: "deployed",
      reason: null,
    });
    expect(delivery.trace).toEqual([
      "GitLab announced main: aaaaaaaa → bbbbbbbb",
      "Branch main is at cccccccc: Newest",
      expect.stringMatching(/^shop\/production: deployment #\d+ of cccccccc is queued$/),
    ]);
    const deployment = await world.store.db.selectFrom("deployment").selectAll().executeTakeFirstOrThrow();
    expect(deployment).toMatchObject({
      cause: "push",
      ref: "main",
      title: "Newest",
      author: "Ada",
      delivery_id: id,
    });
    expect(delivery.deployments).toEqual([deployment.id]);
  });

  test("A → B → A deploys three times", async () => {
    const world = await setUpPushes();
    await world.store.db.updateTable("environment").set({ wanted_commit: null }).execute();
    for (const [before, after] of [
      ["0", "a"],
      ["a", "b"],
      ["b", "a"],
    ] as const) {
      world.gitlab.push("main", sha(after));
      await send(world, { before: sha(before), after: sha(after) });
      await world.settle();
    }
    expect(await deployed(world.store)).toEqual([sha("a"), sha("b"), sha("a")]);
  });

  test("whose head is already wanted is a duplicate, and says so", async () => {
    const world = await setUpPushes();
    const id = await send(world, { before: sha("0"), after: sha("a") });
    await world.settle();
    expect(await world.pushes.get(id)).toMatchObject({
      verdict: "ignored",
      reason: expect.stringContaining("aaaaaaaa is the one it was last told"),
    });
    expect(await deployed(world.store)).toEqual([]);
  });

  test("to a branch nobody follows, or that is gone, is ignored with the reason", async () => {
    const world = await setUpPushes();
    world.gitlab.push("dev", sha("d"));
    const other = await send(world, { branch: "dev" });
    const gone = await send(world, { branch: "old" });
    await world.settle();
    expect((await world.pushes.get(other)).reason).toBe("shop/production follows branch main, not dev");
    expect((await world.pushes.get(gone)).reason).toContain("follows branch main, not old");
    world.gitlab.heads.delete("main");
    const deleted = await send(world);
    await world.settle();
    expect((await world.pushes.get(deleted)).reason).toContain("branch main does not exist");
  });

  test("to a project of two apps deploys those that follow the branch", async () => {
    const world = await setUpPushes();
    world.gitlab.push("dev", sha("a"));
    await world.apps.link({ ...request, name: "admin", branch: "dev" });
    await world.apps.link({ ...request, name: "docs" });
    world.gitlab.push("main", sha("b"));
    const id = await send(world);
    await world.settle();
    const delivery = await world.pushes.get(id);
    expect(delivery.deployments).toHaveLength(2);
    expect(delivery.trace.slice(2).sort()).toEqual([
      "admin/production: follows branch dev, not main",
      expect.stringMatching(/^docs\/production: deployment/),
      expect.stringMatching(/^shop\/production: deployment/),
    ]);
  });

  test("a burst asks GitLab once and deploys the newest", async () => {
    const world = await setUpPushes();
    for (const [before, after] of [
      ["a", "b"],
      ["b", "c"],
      ["c", "d"],
      ["d", "e"],
    ] as const) {
      await send(world, { before: sha(before), after: sha(after) });
    }
    world.gitlab.push("main", sha("e"));
    world.gitlab.calls.length = 0;
    await world.settle();
    expect(await deployed(world.store)).toEqual([sha("e")]);
    // polling looks once at the start as well
    expect(world.gitlab.calls.filter((name) => name === "findBranch").length).toBeLessThanOrEqual(2);
  });

  test("that GitLab's API does not show yet is waited for", async () => {
    const world = await setUpPushes();
    const stop = new AbortController();
    const running = world.pushes.run(stop.signal);
    const id = await send(world); // head is still aaaa, as before the push
    const made = await send(world, { branch: "main", before: ZEROS, after: sha("b") });
    await expect
      .poll(async () => (await world.pushes.get(id)).trace)
      .toEqual(["Waiting: GitLab does not show this push yet"]);
    world.gitlab.push("main", sha("b"));
    await untilIdle(world.store);
    stop.abort();
    await running;
    expect(await deployed(world.store)).toEqual([sha("b")]);
    const verdicts = [await world.pushes.get(id), await world.pushes.get(made)].map((one) => one.verdict);
    expect(new Set(verdicts)).toEqual(new Set(["deployed", "ignored"]));
  });
});

test("the same delivery received by two servers at the same moment is decided once", async () => {
  const world = await setUpPushes();
  world.gitlab.push("main", sha("b"));
  const twin = await send(world, { id: "the-same-one" });
  await world.store.pool.query(
    "insert into delivery (id, linked_project_id, event, dedupe_key, headers, payload, body_bytes, received_at) select 'dlv_copy', linked_project_id, event, dedupe_key, headers, payload, body_bytes, received_at + interval '1 ms' from delivery where id = $1",
    [twin],
  );
  await world.settle();
  expect(await world.pushes.get("dlv_copy")).toMatchObject({
    verdict: "ignored",
    reason: "duplicate delivery",
  });
  expect(await deployed(world.store)).toEqual([sha("b")]);
});

test.each([
  ["active", true],
  ["polling", false],
] as const)(
  "a push that only polling found: a webhook that is %s is suspected: %s",
  async (state, suspected) => {
    const world = await setUpPushes();
    await world.store.db
      .updateTable("linked_project")
      .set({ hook_state: state, hook_suspect_at: null })
      .execute();
    world.gitlab.push("main", sha("b"));
    const stop = new AbortController();
    const running = world.pushes.run(stop.signal);
    await expect.poll(() => deployed(world.store)).toEqual([sha("b")]);
    stop.abort();
    await running;
    const row = await world.store.db
      .selectFrom("linked_project")
      .select("hook_suspect_at")
      .executeTakeFirst();
    expect(row?.hook_suspect_at instanceof Date).toBe(suspected);
  },
);
