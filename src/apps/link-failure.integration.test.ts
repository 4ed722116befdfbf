import { describe, expect, test } from "vitest";
import { nothing, request, rows, setUpApps, type World } from "../../test/support/apps-world.ts";
import { Fault } from "../faults/fault.ts";
import { lookAtHook } from "./look-at-hook.ts";

describe("a link that fails", () => {
  const down = Fault.of("UNREACHABLE", "timeout");

  test.each(["createHook", "createDeployKey"] as const)("at %s takes everything back", async (method) => {
    const world = await setUpApps();
    const fault = Fault.of("AUTH_FAILED", "revoked");
    world.gitlab.fail(method, fault);
    await expect(world.apps.link(request)).rejects.toBe(fault);
    expect(await rows(world)).toEqual(nothing);
    expect(world.gitlab.hooks.size + world.gitlab.keys.size).toBe(0);
    expect(world.deployed).toEqual([]);
  });

  test("of a second app leaves the first one's hook alone", async () => {
    const world = await setUpApps();
    await world.apps.link(request);
    world.gitlab.fail("createDeployKey", Fault.of("AUTH_FAILED", "revoked"));
    await expect(world.apps.link(request)).rejects.toMatchObject({ code: "AUTH_FAILED" });
    expect(await rows(world)).toEqual({ apps: 1, linked: 1, environments: 1 });
    expect(world.gitlab.hooks.size).toBe(1);
    expect(world.gitlab.keys.size).toBe(1);
  });

  test("when the caller goes away in the middle takes everything back too", async () => {
    const world = await setUpApps();
    const stop = new AbortController();
    world.gitlab.hold("createDeployKey");
    const linking = world.apps.link(request, stop.signal);
    await expect.poll(() => world.gitlab.calls).toContain("createDeployKey");
    expect(world.gitlab.hooks.size).toBe(1);
    stop.abort();
    await expect(linking).rejects.toMatchObject({ code: "UNREACHABLE" });
    expect(await rows(world)).toEqual(nothing);
    expect(world.gitlab.hooks.size + world.gitlab.keys.size).toBe(0);
  });

  test("while GitLab is down keeps the rows that name what it made; the next start removes it", async () => {
    const world = await setUpApps();
    world.gitlab.fail("createHook", down, { afterwards: true });
    world.gitlab.fail("listHooks", down, { times: 0 });
    const { client } = world.gitlab;
    const list = client.listHooks.bind(client);
    let looks = 0;
    client.listHooks = async (...args) => {
      if (looks++ > 0) throw down; // reachable before the hook is made, then not
      return list(...args);
    };
    await expect(world.apps.link(request)).rejects.toMatchObject({ code: "UNREACHABLE" });
    expect(world.gitlab.hooks.size).toBe(1);
    expect(await rows(world)).toMatchObject({ apps: 1, linked: 1 });

    client.listHooks = list;
    await world.apps.recover();
    expect(world.gitlab.hooks.size + world.gitlab.keys.size).toBe(0);
    expect(await rows(world)).toEqual(nothing);
  });

  test("that broke off like this may also simply be repeated", async () => {
    const world = await setUpApps();
    const { client } = world.gitlab;
    const list = client.listHooks.bind(client);
    client.listHooks = async () => {
      throw down;
    };
    await expect(world.apps.link(request)).rejects.toMatchObject({ code: "UNREACHABLE" });
    client.listHooks = list;
    const app = await world.apps.link(request);
    expect(app).toMatchObject({ name: "shop", hook: { state: "active" } });
    expect(await rows(world)).toEqual({ apps: 1, linked: 1, environments: 1 });
    expect(world.gitlab.hooks.size).toBe(1);
    expect(world.gitlab.keys.size).toBe(1);
  });
});

describe("after a crash", () => {
  /** As `kill -9` would leave it: the process stops where GitLab does not answer any more, and its database connections close. */
  async function crashAt(
    world: World,
    method: "listHooks" | "createHook" | "createDeployKey",
  ): Promise<void> {
    const release = world.gitlab.hold(method);
    void world.apps.link(request).catch(() => {});
    await expect.poll(() => world.gitlab.calls).toContain(method);
    const locked = await world.store.pool.query(
      "select pid from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid() and database = (select oid from pg_database where datname = current_database())",
    );
    for (const { pid } of locked.rows) await world.store.pool.query("select pg_terminate_backend($1)", [pid]);
    release();
    await expect
      .poll(
        async () =>
          (
            await world.store.pool.query(
              "select 1 from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
            )
          ).rowCount,
      )
      .toBe(0);
  }

  test.each(["listHooks", "createHook", "createDeployKey"] as const)(
    "at %s: a repeated link finishes it",
    async (method) => {
      const world = await setUpApps();
      await crashAt(world, method);
      const app = await world.apps.link(request);
      expect(app.hook.state).toBe("active");
      expect(world.gitlab.hooks.size).toBe(1);
      expect([...world.gitlab.keys.keys()]).toEqual([app.deployKeyId]);
      expect(await rows(world)).toEqual({ apps: 1, linked: 1, environments: 1 });
    },
  );

  test.each(["createHook", "createDeployKey"] as const)(
    "at %s: unlink finds and removes what was made",
    async (method) => {
      const world = await setUpApps();
      await crashAt(world, method);
      expect(await world.apps.unlink("shop")).toEqual({ left: [] });
      expect(world.gitlab.hooks.size + world.gitlab.keys.size).toBe(0);
      expect(await rows(world)).toEqual(nothing);
    },
  );

  test("the next start completes it, and touches nothing that is whole", async () => {
    const world = await setUpApps();
    await crashAt(world, "createHook");
    await world.apps.recover();
    const [app] = await world.apps.list();
    expect(app).toMatchObject({ hook: { state: "active" }, deployKeyId: expect.any(Number) });
    world.gitlab.calls.length = 0;
    await world.apps.recover();
    expect(world.gitlab.calls).toEqual([]);
  });
});

test("a webhook that is made again with an unclear end is noted first: an unlink finds it", async () => {
  const world = await setUpApps();
  await world.apps.link(request);
  const row = await world.store.db.selectFrom("linked_project").selectAll().executeTakeFirstOrThrow();
  const project = { id: row.id, connectionId: row.connection_id, projectId: row.project_id };
  await world.store.db
    .updateTable("linked_project")
    .set({ hook_state: "polling", hook_id: null, hook_reason: "it was refused" })
    .execute();
  world.gitlab.hooks.clear();
  world.gitlab.fail("createHook", Fault.of("GITLAB_UNAVAILABLE", "error"));
  await expect(lookAtHook(world.deps, project)).rejects.toMatchObject({ code: "GITLAB_UNAVAILABLE" });
  const after = await world.store.db.selectFrom("linked_project").selectAll().executeTakeFirstOrThrow();
  expect(after).toMatchObject({ hook_state: "creating", hook_id: null });
  expect(after.hook_path).toBe(row.hook_path);
  world.gitlab.addHook(`http://127.0.0.1:8080/hooks/gitlab/${row.hook_path}`); // GitLab had made it after all
  await world.apps.unlink("shop");
  expect(world.gitlab.hooks.size).toBe(0);
});
