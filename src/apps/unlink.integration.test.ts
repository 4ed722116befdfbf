import { describe, expect, test } from "vitest";
import { nothing, request, rows, setUpApps } from "../../test/support/apps-world.ts";
import { Fault } from "../faults/fault.ts";

describe("unlink", () => {
  test("stops what runs, then removes key, hook and rows; again is no error", async () => {
    const world = await setUpApps();
    const app = await world.apps.link(request);
    expect(await world.apps.unlink("shop")).toEqual({ left: [] });
    expect(world.tornDown).toEqual([app.environments[0]?.id]);
    expect(world.gitlab.hooks.size + world.gitlab.keys.size).toBe(0);
    expect(await rows(world)).toEqual(nothing);
    expect(await world.apps.unlink("shop")).toEqual({ left: [] });
    await expect(world.apps.get("shop")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("the hook goes with the project's last app", async () => {
    const world = await setUpApps();
    await world.apps.link(request);
    await world.apps.link({ ...request, name: "two" });
    await world.apps.unlink("shop");
    expect(world.gitlab.hooks.size).toBe(1);
    expect(world.gitlab.keys.size).toBe(1);
    expect(world.forgotten).toEqual([]);
    await world.apps.unlink("two");
    expect(world.forgotten).toEqual([expect.stringMatching(/^con_\w+\/\d+$/)]);
    expect(world.gitlab.hooks.size + world.gitlab.keys.size).toBe(0);
    expect(await rows(world)).toEqual(nothing);
  });

  test("with a dead token the rows go, and what stays in GitLab is named with its page", async () => {
    const world = await setUpApps();
    const app = await world.apps.link(request);
    const dead = Fault.of("AUTH_FAILED", "revoked", { message: "The token was revoked" });
    for (const method of ["listHooks", "deleteHook", "deleteDeployKey"] as const)
      world.gitlab.fail(method, dead, { times: 5 });
    const [hookId] = world.gitlab.hooks.keys();
    expect(await world.apps.unlink("shop")).toEqual({
      left: [
        {
          what: "deploy_key",
          id: app.deployKeyId,
          url: "http://127.0.0.1:9999/acme/shop/-/settings/repository",
          why: "The token was revoked",
        },
        {
          what: "hook",
          id: hookId,
          url: "http://127.0.0.1:9999/acme/shop/-/hooks",
          why: "The token was revoked",
        },
      ],
    });
    expect(await rows(world)).toEqual(nothing);
  });

  test("with a token that cannot even be opened as well", async () => {
    const world = await setUpApps();
    await world.apps.link(request);
    await world.store.db
      .updateTable("connection")
      .set({ token: Buffer.from('{"place":"elsewhere"}') })
      .execute();
    const { left } = await world.apps.unlink("shop");
    expect(left.map((one) => one.what)).toEqual(["deploy_key", "hook"]);
    expect(await rows(world)).toEqual(nothing);
  });

  test("already removed by hand in GitLab: nothing is left", async () => {
    const world = await setUpApps();
    await world.apps.link(request);
    world.gitlab.hooks.clear();
    world.gitlab.keys.clear();
    expect(await world.apps.unlink("shop")).toEqual({ left: [] });
  });

  test("a teardown that fails stops it before anything is removed; again it goes on", async () => {
    let broken = true;
    const world = await setUpApps({
      teardown: async () => {
        if (broken) throw Fault.of("RUNTIME_UNAVAILABLE", "");
      },
    });
    await world.apps.link(request);
    await expect(world.apps.unlink("shop")).rejects.toMatchObject({ code: "RUNTIME_UNAVAILABLE" });
    expect(world.gitlab.hooks.size).toBe(1);
    broken = false;
    expect(await world.apps.unlink("shop")).toEqual({ left: [] });
  });

  test("five at once are one", async () => {
    const world = await setUpApps();
    await world.apps.link(request);
    const all = await Promise.all(Array.from({ length: 5 }, () => world.apps.unlink("shop")));
    expect(all).toEqual(Array.from({ length: 5 }, () => ({ left: [] })));
    expect(world.tornDown).toHaveLength(1);
  });
});

test("disconnect unlinks every app and forgets the connection", async () => {
  const world = await setUpApps();
  await world.apps.link(request);
  await world.apps.link({ ...request, name: "two" });
  expect(await world.apps.disconnect("work")).toEqual({ left: [] });
  expect(await rows(world)).toEqual(nothing);
  expect(world.gitlab.hooks.size + world.gitlab.keys.size).toBe(0);
  expect(world.gitlab.disposed).toBe(1);
  await expect(world.apps.disconnect("work")).rejects.toMatchObject({ code: "NOT_FOUND" });
});
