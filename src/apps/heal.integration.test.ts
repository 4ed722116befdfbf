import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { createTestStore } from "../../test/support/database.ts";
import { createPlainVault } from "../../test/support/plain-vault.ts";
import { createConnections } from "../connections/open.ts";
import { checkConnection } from "../doctor/check.ts";
import { createGitLab } from "../gitlab/client.ts";
import { Secret } from "../kernel/secret.ts";
import { openScene } from "../sandbox/scene.suite.ts";
import type { Hook } from "../sandbox/state.ts";
import { silentLogger } from "../telemetry/log.ts";
import type { AppsDeps } from "./deps.ts";
import { lookAtHook } from "./look-at-hook.ts";
import { createApps } from "./open.ts";

interface Options {
  readonly version?: string;
  readonly publicUrl?: string | null;
  /** The token is not the owner's but of `bob`, a Maintainer. */
  readonly asBob?: boolean;
}

/** A project linked over a real wire, and a receiver that answers as a test wishes. */
async function setUp({ version = "19.1.0", publicUrl, asBob = false }: Options = {}) {
  const after = new AsyncDisposableStack();
  onTestFinished(() => after.disposeAsync());
  const scene = after.use(await openScene({ version }));
  const store = after.use(await createTestStore());
  const vault = createPlainVault();
  const log = silentLogger;
  const connections = after.use(createConnections({ store, vault, createGitLab, checkConnection, log }));
  const receiver = { status: 200, calls: 0 };
  const server = createServer((incoming, response) => {
    receiver.calls++;
    incoming.resume().on("end", () => response.writeHead(receiver.status).end("{}"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  after.defer(() => void server.close());
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const deps: AppsDeps = {
    store,
    vault,
    connections,
    log,
    publicUrl: publicUrl === undefined ? origin : publicUrl,
    appsDomain: "localhost",
    publicAppUrl: (host) => `http://${host}`,
    teardown: async () => {},
    forgetSource: async () => {},
    onLinked: async () => {},
  };
  const bob = scene.sandbox.state.createUser({ username: "bob", name: "Bob Example" });
  scene.sandbox.state.addMember(scene.project, bob, 40);
  const token = new Secret(asBob ? scene.tokenWith({ user: bob }) : scene.token);
  await connections.connect({ url: scene.sandbox.url, token, name: "box" });
  const { rows } = scene.sandbox;
  const before = { hooks: [...rows.hooks.values()], keys: [...rows.deployKeyLinks] };
  const apps = createApps(deps);
  await apps.link({ connection: "box", project: "acme/shop" });
  const look = async (over: Partial<AppsDeps> = {}): Promise<void> => {
    const row = await store.db.selectFrom("linked_project").selectAll().executeTakeFirstOrThrow();
    const project = { id: row.id, connectionId: row.connection_id, projectId: row.project_id };
    expect(await lookAtHook({ ...deps, ...over }, project)).toBe(true);
  };
  await look(); // GitLab calls a new webhook
  expect(receiver.calls).toBe(publicUrl === null || version < "16.11" ? 0 : 1);
  receiver.calls = 0;
  const told = async (app = "shop"): Promise<string[]> => {
    const events = await apps.listEvents(app, 100);
    const kinds = ["hook_healed", "hook_polling", "hook_made"];
    return events
      .flatMap(({ kind, text }) => (kinds.includes(kind) ? [`${kind}: ${text}`] : []))
      .toReversed();
  };
  const theHook = (): Hook => {
    const [hook, ...more] = rows.hooks.values();
    if (!hook || more.length > 0) throw new Error(`${rows.hooks.size} hooks`);
    return hook;
  };
  const edit = (body: object): Promise<unknown> =>
    scene.call("PUT", `/projects/${scene.project.id}/hooks/${theHook().id}`, body);
  return { scene, bob, store, apps, connections, receiver, origin, before, look, told, theHook, edit };
}

type World = Awaited<ReturnType<typeof setUp>>;

/** What a person, or GitLab, can do to a hook, and what the app's events then say. */
const DAMAGES: Readonly<
  Record<string, { readonly harm: (world: World) => unknown; readonly words: string }>
> = {
  "deleted by hand": {
    harm: ({ scene, theHook }) => scene.call("DELETE", `/projects/${scene.project.id}/hooks/${theHook().id}`),
    words: "was gone from GitLab: made again",
  },
  "another address": {
    harm: ({ edit }) => edit({ url: "http://127.0.0.1:9/other" }),
    words: "it called http://127.0.0.1:9 instead of",
  },
  "events off": {
    harm: ({ edit }) => edit({ push_events: false, tag_push_events: false }),
    words: "push events were switched off; tag events were switched off",
  },
  "TLS verification off": {
    harm: ({ edit }) => edit({ enable_ssl_verification: false }),
    words: "it did not check certificates any more",
  },
  "a branch filter": {
    harm: ({ edit }) => edit({ push_events_branch_filter: "release/*" }),
    words: "it was for branches like release/* only",
  },
  "its secrets lost": {
    harm: ({ theHook }) => Object.assign(theHook(), { token: null, signingToken: null }),
    words: "it had lost its secret; it had lost its signing token",
  },
  "switched off for good": {
    harm: ({ scene, theHook }) => {
      scene.sandbox.settings.autoDisableWebhooks = true;
      Object.assign(theHook(), { disabledForGood: true });
    },
    words: "had switched the webhook",
  },
  "set aside for a while": {
    harm: ({ scene, theHook }) => {
      scene.sandbox.settings.autoDisableWebhooks = true;
      Object.assign(theHook(), { disabledUntil: Date.now() + 3_600_000 });
    },
    words: "had switched the webhook",
  },
  "duplicated by hand": {
    harm: ({ scene, theHook }) =>
      scene.call("POST", `/projects/${scene.project.id}/hooks`, { url: theHook().url }),
    words: "had more than one webhook of ours: removed",
  },
};

describe("a webhook that somebody changed", () => {
  test.each(Object.entries(DAMAGES))(
    "%s: heals within one look and is told once",
    async (_, { harm, words }) => {
      const world = await setUp();
      const { id: _id, createdAt: _at, ...made } = structuredClone(world.theHook());
      await harm(world);
      await world.look();
      expect(world.theHook()).toMatchObject(made);
      const told = await world.told();
      expect(told).toEqual([expect.stringMatching(/^hook_made: /), expect.stringContaining(words)]);
      expect(told[1]).toMatch(/^hook_healed: /);
      await world.look();
      await world.look();
      expect(await world.told()).toEqual(told);
      expect((await world.apps.get("shop")).hook).toEqual({ state: "active", signed: true, reason: null });
    },
  );

  test("every app of the project is told, and there is one webhook for all", async () => {
    const { apps, scene, look, told, theHook } = await setUp();
    await apps.link({ connection: "box", project: "acme/shop", name: "admin" });
    scene.sandbox.rows.hooks.clear();
    await look();
    theHook();
    expect((await told("shop")).at(-1)).toContain("made again");
    expect((await told("admin")).at(-1)).toContain("made again");
  });

  test("our own address changed: the same webhook, with its secrets", async () => {
    const { look, told, theHook, origin } = await setUp();
    const { id, token, signingToken } = structuredClone(theHook());
    await look({ publicUrl: "http://localhost:9" });
    expect(theHook()).toMatchObject({ id, token, signingToken });
    expect(theHook().url).toMatch(/^http:\/\/localhost:9\/hooks\/gitlab\//);
    expect((await told()).at(-1)).toContain(`it called ${origin} instead of http://localhost:9`);
  });

  test("a GitLab that cannot sign is not asked again and again", async () => {
    const { scene, look, told, apps } = await setUp({ version: "18.9.0" });
    const before = structuredClone([...scene.sandbox.rows.hooks]);
    await look();
    expect([...scene.sandbox.rows.hooks]).toEqual(before);
    expect((await apps.get("shop")).hook).toMatchObject({ state: "active", signed: false });
    expect(await told()).toHaveLength(1);
  });

  test("calls with a wrong secret were counted: it is given again and the count begins anew", async () => {
    const { store, look, told, theHook } = await setUp();
    const { token } = theHook();
    Object.assign(theHook(), { token: "something else" });
    await store.db.updateTable("linked_project").set({ bad_secret_count: 2 }).execute();
    await look();
    expect(theHook().token).toBe(token);
    expect((await told()).at(-1)).toContain("2 calls came with a wrong secret");
    const row = await store.db.selectFrom("linked_project").select("bad_secret_count").executeTakeFirst();
    expect(row?.bad_secret_count).toBe(0);
  });
});

describe("GitLab says no", () => {
  test("it cannot reach us any more: found out when pushes come unheard, with GitLab's own words", async () => {
    const { store, look, told, receiver, apps } = await setUp();
    receiver.status = 503;
    await look();
    expect(receiver.calls).toBe(0); // without suspicion nobody asks GitLab to call
    await store.db.updateTable("linked_project").set({ hook_suspect_at: new Date() }).execute();
    await look();
    expect(receiver.calls).toBe(1);
    const { hook } = await apps.get("shop");
    expect(hook.state).toBe("polling");
    expect(hook.reason).toContain("GitLab cannot reach this server");
    expect((await told()).at(-1)).toBe(`hook_polling: ${hook.reason}`);
    await look();
    expect(await told()).toHaveLength(2);
    receiver.status = 200;
    await look();
    expect((await told()).at(-1)).toMatch(/^hook_made: GitLab calls us on every push/);
    expect((await apps.get("shop")).hook).toMatchObject({ state: "active", reason: null });
  });

  test("silent mode: polled, told once, and called again when it ends", async () => {
    const { scene, store, look, told, apps } = await setUp();
    scene.sandbox.settings.silentMode = true;
    await store.db.updateTable("linked_project").set({ hook_suspect_at: new Date() }).execute();
    await look();
    await look();
    expect((await apps.get("shop")).hook).toMatchObject({
      state: "polling",
      reason: expect.stringMatching(/silent mode.*Silent mode enabled|no webhooks at all/i),
    });
    expect(await told()).toHaveLength(2);
    scene.sandbox.settings.silentMode = false;
    await look();
    expect((await apps.get("shop")).hook.state).toBe("active");
  });

  test("a late call clears the suspicion", async () => {
    const { store, look, receiver } = await setUp();
    const { id } = await store.db.selectFrom("linked_project").select("id").executeTakeFirstOrThrow();
    await store.db
      .insertInto("delivery")
      .values({
        id: "dlv_1",
        linked_project_id: id,
        event: "push",
        headers: "{}",
        payload: "{}",
        body_bytes: 2,
      })
      .execute();
    await store.db.updateTable("linked_project").set({ hook_suspect_at: new Date() }).execute();
    await look();
    expect(receiver.calls).toBe(0);
  });

  test("local requests are not allowed: the setting of this version is named; allowed later, the webhook is made", async () => {
    const { scene, look, told, apps, theHook } = await setUp({ version: "15.11.0" });
    const { rows, settings } = scene.sandbox;
    settings.allowLocalRequests = false;
    rows.hooks.clear();
    await look();
    await look();
    const { hook } = await apps.get("shop");
    expect(hook.state).toBe("polling");
    expect(hook.reason).toContain("Allow requests to the local network from web hooks and services");
    expect(hook.reason).toContain(`${scene.sandbox.url}/admin/application_settings/network`);
    expect(await told()).toHaveLength(2);
    settings.allowLocalRequests = true;
    await look();
    theHook();
    expect((await apps.get("shop")).hook.state).toBe("active");
  });

  test("FAIRLEAD_PUBLIC_URL is not set: polled; set later, the webhook is made", async () => {
    const { scene, look, told, apps, theHook, origin } = await setUp({ publicUrl: null });
    await look();
    expect(await told()).toEqual([expect.stringContaining("FAIRLEAD_PUBLIC_URL is not set")]);
    expect(scene.sandbox.rows.hooks.size).toBe(0);
    await look({ publicUrl: origin });
    theHook();
    expect((await apps.get("shop")).hook.state).toBe("active");
  });

  test("the role was taken away: polled, told once; given back, the same webhook serves again", async () => {
    const { scene, bob, look, told, apps, theHook } = await setUp({ asBob: true });
    const { id } = theHook();
    scene.sandbox.state.addMember(scene.project, bob, 30);
    await look();
    await look();
    expect((await apps.get("shop")).hook).toMatchObject({
      state: "polling",
      reason: expect.stringContaining("Maintainer"),
    });
    expect(await told()).toHaveLength(2);
    scene.sandbox.state.addMember(scene.project, bob, 40);
    await look();
    expect(theHook().id).toBe(id);
    expect((await apps.get("shop")).hook.state).toBe("active");
  });
});

test("what to enter by hand, and a webhook that was made so is adopted instead of doubled", async () => {
  const { scene, apps, look, theHook } = await setUp();
  const { url, token } = structuredClone(theHook());
  scene.sandbox.rows.hooks.clear();
  const { page, secret, ...values } = await apps.getHookByHand("shop");
  expect(values).toEqual({ url, triggers: ["Push events", "Tag push events"] });
  expect(secret.reveal()).toBe(token);
  expect(page).toBe(`${scene.sandbox.url}/acme/shop/-/hooks (the project > Settings > Webhooks)`);
  await scene.call("POST", `/projects/${scene.project.id}/hooks`, { url, token });
  const { id } = theHook();
  await look();
  expect(theHook().id).toBe(id);
});

test("without an address there is nothing to enter, and it is said why", async () => {
  const { apps } = await setUp({ publicUrl: null });
  await expect(apps.getHookByHand("shop")).rejects.toMatchObject({
    code: "BAD_REQUEST",
    message: expect.stringContaining("FAIRLEAD_PUBLIC_URL is not set"),
  });
});

describe("afterwards", () => {
  test.each(["unlink", "disconnect"] as const)(
    "%s leaves hooks and keys as they were before",
    async (verb) => {
      const world = await setUp();
      const { scene, apps, before, theHook, look } = world;
      await apps.link({ connection: "box", project: "acme/shop", name: "two" });
      await look();
      const { url } = theHook();
      await scene.call("POST", `/projects/${scene.project.id}/hooks`, { url }); // a second one by hand
      await scene.call("POST", `/projects/${scene.project.id}/hooks`, { url: url.replace(/:\d+/, ":9") });
      const ended =
        verb === "disconnect"
          ? [await apps.disconnect("box")]
          : [await apps.unlink("shop"), await apps.unlink("two")];
      expect(ended.flatMap(({ left }) => left)).toEqual([]);
      const { rows } = scene.sandbox;
      expect([...rows.hooks.values()]).toEqual(before.hooks);
      expect([...rows.deployKeyLinks]).toEqual(before.keys);
      expect(rows.deployKeys.size).toBe(0);
    },
  );

  test("also a webhook that a person made by our values, while we only polled", async () => {
    const { scene, store, apps } = await setUp({ publicUrl: null });
    const { hook_path: path } = await store.db
      .selectFrom("linked_project")
      .select("hook_path")
      .executeTakeFirstOrThrow();
    await scene.call("POST", `/projects/${scene.project.id}/hooks`, {
      url: `http://127.0.0.1:9/hooks/gitlab/${path}`,
    });
    expect(scene.sandbox.rows.hooks.size).toBe(1);
    expect(await apps.unlink("shop")).toEqual({ left: [] });
    expect(scene.sandbox.rows.hooks.size).toBe(0);
  });
});
