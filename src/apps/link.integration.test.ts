import { describe, expect, test } from "vitest";
import { nothing, request, rows, setUpApps } from "../../test/support/apps-world.ts";
import { Fault } from "../faults/fault.ts";
import { createApps } from "./open.ts";

describe("link", () => {
  test("makes hook, deploy key and rows, and deploys what is there", async () => {
    const world = await setUpApps();
    const app = await world.apps.link(request);
    const [hook] = world.gitlab.hooks.values();
    const [key] = world.gitlab.keys.values();
    expect(app).toMatchObject({
      name: "shop",
      connection: "work",
      project: { id: 42, path: "acme/shop" },
      hook: { state: "active", signed: true, reason: null },
      deployKeyId: key?.id,
      build: {},
      environments: [
        { name: "production", branch: "main", host: "shop.localhost", url: "http://shop.localhost:8081" },
      ],
    });
    expect(hook?.url).toMatch(/^http:\/\/127\.0\.0\.1:8080\/hooks\/gitlab\/[A-Za-z0-9_-]{43}$/);
    expect(key).toMatchObject({ title: "Fairlead shop", canPush: false });
    expect(world.deployed).toEqual(app.environments.map((environment) => environment.id));
    expect(await world.apps.list()).toEqual([app]);
    expect((await world.apps.listEvents("shop", 10)).map((event) => event.kind)).toEqual([
      "linked",
      "deploy_key_made",
      "hook_made",
    ]);
  });

  test("rows with hook path and sealed key are there before anything is made in GitLab", async () => {
    const world = await setUpApps();
    const release = world.gitlab.hold("listHooks");
    const linking = world.apps.link(request);
    await expect.poll(() => world.gitlab.calls).toContain("listHooks");
    expect(await rows(world)).toEqual({ apps: 1, linked: 1, environments: 1 });
    const app = await world.store.db.selectFrom("app").selectAll().executeTakeFirstOrThrow();
    expect(app.deploy_key_public).toMatch(/^ssh-ed25519 /);
    expect(app.deploy_key_private?.toString()).toContain("BEGIN OPENSSH PRIVATE KEY"); // the test's vault hides nothing
    expect(world.gitlab.keys.size).toBe(0);
    release();
    await linking;
  });

  test("apps of one project share the hook and have a key each", async () => {
    const world = await setUpApps();
    const one = await world.apps.link(request);
    const two = await world.apps.link({ ...request, project: "42", build: { root: "apps/admin" } });
    expect([one.name, two.name]).toEqual(["shop", "shop-2"]);
    expect(two.build).toEqual({ root: "apps/admin" });
    expect(world.gitlab.hooks.size).toBe(1);
    expect(world.gitlab.keys.size).toBe(2);
    expect(await rows(world)).toMatchObject({ apps: 2, linked: 1 });
  });

  test("ten at once: one hook, ten apps, ten keys, ten names", async () => {
    const world = await setUpApps();
    const apps = await Promise.all(Array.from({ length: 10 }, () => world.apps.link(request)));
    expect(new Set(apps.map((app) => app.name)).size).toBe(10);
    expect(world.gitlab.hooks.size).toBe(1);
    expect(world.gitlab.keys.size).toBe(10);
    await Promise.all(apps.map((app) => world.apps.unlink(app.name)));
    expect(await rows(world)).toEqual(nothing);
    expect(world.gitlab.hooks.size + world.gitlab.keys.size).toBe(0);
  });

  test.each([
    [{ archived: true }, "PROJECT_ARCHIVED", ""],
    [{ pendingDeletion: true }, "PROJECT_NOT_FOUND", "pending_deletion"],
    [{ repositoryDisabled: true }, "REPOSITORY_DISABLED", ""],
  ])("a project that is %j is refused", async (facts, code, reason) => {
    const world = await setUpApps();
    Object.assign(world.gitlab.project, facts);
    await expect(world.apps.link(request)).rejects.toMatchObject({ code, reason });
    expect(await rows(world)).toEqual(nothing);
  });

  test("a role below Maintainer is refused when GitLab says so too, not to an administrator", async () => {
    const world = await setUpApps();
    world.gitlab.project.accessLevel = 30;
    world.gitlab.fail("listHooks", Fault.of("INSUFFICIENT_ROLE", ""));
    await expect(world.apps.link(request)).rejects.toMatchObject({ code: "INSUFFICIENT_ROLE" });
    expect(await rows(world)).toEqual(nothing);
    expect((await world.apps.link(request)).hook.state).toBe("active");
  });

  test("hostile names, hosts and branches never reach GitLab or a row", async () => {
    const world = await setUpApps();
    for (const bad of [
      { name: "xn--a" },
      { name: "../x" },
      { branch: "-x" },
      { project: "../../etc" },
      { healthPath: "//evil" },
      { healthPath: "x" },
      { build: { root: "../x" } },
    ]) {
      await expect(world.apps.link({ ...request, ...bad })).rejects.toMatchObject({ code: "BAD_REQUEST" });
    }
    expect(world.gitlab.calls).toEqual([]);
    expect(await rows(world)).toEqual(nothing);
  });

  test("a chosen name that is taken, and a branch that is not there, are refused and leave nothing new", async () => {
    const world = await setUpApps();
    await world.apps.link({ ...request, name: "shop" });
    await expect(world.apps.link({ ...request, name: "shop" })).rejects.toMatchObject({
      code: "CONFLICT",
      reason: "name_taken",
    });
    await expect(world.apps.link({ ...request, branch: "mian" })).rejects.toMatchObject({
      code: "BAD_REQUEST",
    });
    expect(await rows(world)).toMatchObject({ apps: 1, linked: 1 });
    expect(world.gitlab.hooks.size).toBe(1);
    expect(world.gitlab.keys.size).toBe(1);
  });

  test("an empty repository is linked, to be deployed by its first push", async () => {
    const world = await setUpApps();
    Object.assign(world.gitlab.project, { emptyRepo: true, defaultBranch: null });
    world.gitlab.heads.clear();
    const app = await world.apps.link({ ...request });
    expect(app.environments[0]?.branch).toBe("main");
    expect(world.deployed).toEqual([]);
  });

  test("what GitLab refuses for good does not stop a link, and is said", async () => {
    const world = await setUpApps();
    world.gitlab.fail(
      "createHook",
      Fault.of("HOOK_URL_REFUSED", "", { evidence: { words: "Invalid url given" } }),
    );
    world.gitlab.fail("createDeployKey", Fault.of("DEPLOY_KEY_TAKEN", ""));
    const app = await world.apps.link(request);
    expect(app.hook).toMatchObject({
      state: "polling",
      signed: false,
      reason: expect.stringContaining("Invalid url given"),
    });
    expect(app.deployKeyId).toBeNull();
    expect(world.deployed).toHaveLength(1);
    const events = (await world.apps.listEvents(app.name, 10)).map((event) => event.kind);
    expect(events).toEqual(["linked", "deploy_key_missing", "hook_polling"]);
    const row = await world.store.db.selectFrom("app").selectAll().executeTakeFirstOrThrow();
    expect([row.deploy_key_private, row.deploy_key_public]).toEqual([null, null]);
  });

  test("a first deployment that cannot be queued leaves the link and an event", async () => {
    const world = await setUpApps({
      onLinked: async () => {
        throw Fault.of("GITLAB_UNAVAILABLE", "error");
      },
    });
    await world.apps.link(request);
    const [event] = await world.apps.listEvents("shop", 1);
    expect(event).toMatchObject({
      kind: "first_deployment_failed",
      text: expect.stringContaining("GITLAB_UNAVAILABLE"),
    });
  });

  test("where clone addresses name another origin, the code comes from the connection's own", async () => {
    const world = await setUpApps();
    world.gitlab.project.httpUrl = "https://git.public.example/acme/shop.git";
    await world.apps.link(request);
    const linked = await world.store.db.selectFrom("linked_project").selectAll().executeTakeFirstOrThrow();
    expect(linked.http_url).toBe("http://127.0.0.1:9999/acme/shop.git");
  });
});

test("two servers on one database link one project at the same time: one hook, two apps", async () => {
  const world = await setUpApps();
  const other = createApps(world.deps);
  const [one, two] = await Promise.all([world.apps.link(request), other.link(request)]);
  expect(one.name).not.toBe(two.name);
  expect(world.gitlab.hooks.size).toBe(1);
  expect(world.gitlab.keys.size).toBe(2);
});
