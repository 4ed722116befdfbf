import { describe, expect, test } from "vitest";
import { request } from "../../test/support/apps-world.ts";
import { deployed, enqueueOnly, send, setUpPushes, sha, untilIdle } from "../../test/support/pushes-world.ts";
import { Fault } from "../faults/fault.ts";
import { deadline } from "../kernel/clock.ts";
import { waitUntil } from "../kernel/retry.ts";
import { Secret } from "../kernel/secret.ts";
import { createPushes } from "./open.ts";

describe("trouble", () => {
  test("GitLab away for a moment: tried again, then deployed, and the trace tells", async () => {
    const world = await setUpPushes();
    world.gitlab.push("main", sha("b"));
    const id = await send(world);
    world.gitlab.fail("findBranch", Fault.of("UNREACHABLE", "refused"), { times: 2 });
    await world.settle();
    const delivery = await world.pushes.get(id);
    expect(delivery.verdict).toBe("deployed");
    expect(delivery.trace[0]).toContain("UNREACHABLE");
    expect(await deployed(world.store)).toEqual([sha("b")]);
  });

  test("GitLab away for more than an hour: failed, with the reason", async () => {
    const world = await setUpPushes();
    const id = await send(world);
    await world.store.pool.query("update delivery set received_at = now() - interval '61 minutes'");
    world.gitlab.fail("findBranch", Fault.of("GITLAB_UNAVAILABLE", "maintenance"), { times: 50 });
    await world.settle();
    expect(await world.pushes.get(id)).toMatchObject({
      verdict: "failed",
      reason: expect.stringContaining("GITLAB_UNAVAILABLE (maintenance)"),
    });
  });

  test("with a dead token all wait, it is not tried for each of them, and all are decided with a new one", async () => {
    const world = await setUpPushes();
    world.gitlab.push("main", sha("b"));
    for (let i = 0; i < 20; i++) await send(world, i === 0 ? {} : { branch: `b${i}` });
    world.gitlab.fail("findBranch", Fault.of("AUTH_FAILED", "revoked"), { times: 1 });
    world.gitlab.calls.length = 0;
    const stop = new AbortController();
    const running = world.pushes.run(stop.signal);
    const connections = world.deps.connections;
    await waitUntil(async () => (await connections.get("work")).pausedAt, {
      everyMs: 20,
      signal: deadline(10_000),
    });
    await world.store.pool.query("update delivery set received_at = now() - interval '3 hours'");
    await waitUntil(
      async () =>
        (await world.pushes.list("shop", 100)).some(({ trace }) =>
          trace[0]?.startsWith("Waiting: AUTH_FAILED (revoked)"),
        ),
      { everyMs: 20, signal: deadline(10_000) },
    );
    stop.abort();
    await running;
    expect((await world.pushes.list("shop", 100)).every(({ state }) => state === "received")).toBe(true);
    expect(world.gitlab.calls.length).toBeLessThanOrEqual(3);
    expect((await connections.get("work")).trouble).toMatchObject({ code: "AUTH_FAILED", reason: "revoked" });
    await connections.reconnect("work", { token: new Secret("glpat-2"), accept: true });
    await world.settle();
    expect(await deployed(world.store)).toEqual([sha("b")]);
  });

  test("a transaction that breaks leaves nothing, and the delivery is processed again, once", async () => {
    const world = await setUpPushes();
    let broken = 2;
    const enqueue = enqueueOnly(world.store);
    const pushes = createPushes({
      ...world.pushesDeps,
      enqueue: async (tx, wish) => {
        const queued = await enqueue(tx, wish);
        if (broken-- > 0) throw new Error("the disk is full");
        return queued;
      },
    });
    world.gitlab.push("main", sha("b"));
    const id = await send(world);
    const stop = new AbortController();
    const running = pushes.run(stop.signal);
    await untilIdle(world.store);
    stop.abort();
    await running;
    expect(await deployed(world.store)).toEqual([sha("b")]);
    expect((await world.pushes.get(id)).state).toBe("processed");
  });

  test("the database connection killed in the middle of the transaction: again, exactly once", async () => {
    const world = await setUpPushes();
    const enqueue = enqueueOnly(world.store);
    let kills = 0;
    const pushes = createPushes({
      ...world.pushesDeps,
      enqueue: async (tx, wish) => {
        const queued = await enqueue(tx, wish);
        if (kills++ < 2)
          await tx
            .selectNoFrom((eb) => eb.fn("pg_terminate_backend", [eb.fn("pg_backend_pid", [])]).as("x"))
            .execute();
        return queued;
      },
    });
    world.gitlab.push("main", sha("b"));
    await send(world);
    const stop = new AbortController();
    const running = pushes.run(stop.signal);
    await untilIdle(world.store);
    stop.abort();
    await running;
    expect(kills).toBe(3);
    expect(await deployed(world.store)).toEqual([sha("b")]);
    const locks = await world.store.pool.query(
      "select 1 from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
    );
    expect(locks.rowCount).toBe(0);
  });

  test("one project's GitLab hangs: another project's push deploys meanwhile", async () => {
    const world = await setUpPushes();
    Object.assign(world.gitlab.project, { id: 43, path: "acme/two" });
    await world.apps.link({ ...request, project: "acme/two", name: "two" });
    const { client } = world.gitlab;
    const find = client.findBranch.bind(client);
    client.findBranch = (id, name, options) =>
      id === 42 ? untilAborted(options?.signal) : find(id, name, options);
    world.gitlab.push("main", sha("b"));
    await send(world);
    const stop = new AbortController();
    const running = world.pushes.run(stop.signal);
    const hook = [...world.gitlab.hooks.values()].at(-1)!;
    world.gitlab.hooks.clear();
    world.gitlab.hooks.set(hook.id, hook);
    const began = performance.now();
    const id = await send(world, { projectId: 43 });
    await expect.poll(async () => (await world.pushes.get(id)).state, { timeout: 5000 }).toBe("processed");
    expect(performance.now() - began).toBeLessThan(5000);
    stop.abort();
    await running; // and stopping does not wait for the one that hangs
    expect(await deployed(world.store)).toEqual([sha("b")]);
  });

  test("several processors at once never deploy one push twice", async () => {
    const world = await setUpPushes();
    const stop = new AbortController();
    const running = [1, 2, 3].map(() => createPushes(world.pushesDeps).run(stop.signal));
    const heads = ["b", "c", "d", "e", "f"];
    for (const [i, letter] of heads.entries()) {
      world.gitlab.push("main", sha(letter));
      await Promise.all(
        [1, 2, 3].map(() => send(world, { before: sha(heads[i - 1] ?? "a"), after: sha(letter) })),
      );
      await untilIdle(world.store);
    }
    stop.abort();
    await Promise.all(running);
    expect(await deployed(world.store)).toEqual(heads.map(sha));
    const all = await world.pushes.list("shop", 100);
    expect(all.filter((one) => one.verdict === "deployed")).toHaveLength(heads.length);
  });

  test("unlinked while its deliveries wait: they go with it, nothing breaks", async () => {
    const world = await setUpPushes();
    world.gitlab.push("main", sha("b"));
    await send(world);
    await world.apps.unlink("shop");
    await world.settle();
    expect(await deployed(world.store)).toEqual([]);
  });

  test("a project that is being unlinked does not deploy", async () => {
    const world = await setUpPushes();
    await world.store.pool.query("update app set removing_at = now()");
    world.gitlab.push("main", sha("b"));
    const id = await send(world);
    await world.settle();
    expect(await world.pushes.get(id)).toMatchObject({
      verdict: "ignored",
      reason: expect.stringContaining("unlinked"),
    });
  });
});

/** Never answers, like a connection that hangs. */
function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = (): void => reject(Fault.of("UNREACHABLE", "timeout"));
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
}
