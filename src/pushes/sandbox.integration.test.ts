import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createTestStore } from "../../test/support/database.ts";
import { deployed, enqueueOnly } from "../../test/support/pushes-world.ts";
import { createApps } from "../apps/open.ts";
import { createConnections } from "../connections/open.ts";
import { checkConnection } from "../doctor/check.ts";
import { createGitLab } from "../gitlab/client.ts";
import { systemClock } from "../kernel/clock.ts";
import { Secret } from "../kernel/secret.ts";
import { openScene } from "../sandbox/scene.suite.ts";
import { openVault } from "../secrets/open-vault.ts";
import { silentLogger } from "../telemetry/log.ts";
import { createPushes } from "./open.ts";
import type { Acceptance } from "./pushes.ts";

/** Everything from the token to the queued deployment over a real wire: sandbox, client, doctor, vault, database. */
async function setUp(version: string, overrides: { readonly publicUrl?: string | null } = {}) {
  const after = new AsyncDisposableStack();
  onTestFinished(() => after.disposeAsync());
  const scene = after.use(await openScene({ version }));
  const store = after.use(await createTestStore());
  const folder = await mkdtemp(join(tmpdir(), "fairlead-key-"));
  after.defer(() => rm(folder, { recursive: true, force: true }));
  const vault = await openVault(store, { keyFile: join(folder, "secret.key") });
  const log = silentLogger;
  const connections = after.use(createConnections({ store, vault, createGitLab, checkConnection, log }));
  const answers: Acceptance[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    const answer = async (): Promise<void> => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      );
      const hookPath = request.url?.split("/").at(-1) ?? "";
      answers.push(await pushes.accept({ hookPath, headers, body: Buffer.concat(chunks) }));
      response.end("{}");
    };
    request.on("end", () => void answer());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  after.defer(() => void server.close());
  const publicUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const pushes = createPushes({
    store,
    vault,
    connections,
    log,
    clock: systemClock,
    enqueue: enqueueOnly(store),
  });
  const apps = createApps({
    store,
    vault,
    connections,
    publicUrl,
    appsDomain: "localhost",
    publicAppUrl: (host) => `http://${host}`,
    teardown: async () => {},
    forgetSource: async () => {},
    onLinked: async () => {},
    log,
    ...overrides,
  });
  await connections.connect({ url: scene.sandbox.url, token: new Secret(scene.token), name: "box" });
  return { scene, store, connections, apps, pushes, answers };
}

const request = { connection: "box", project: "acme/shop" };

describe.each([
  ["19.1.0", true],
  ["18.9.0", false],
  ["15.0.0", false],
])("GitLab %s", (version, signed) => {
  test("connect, link, push, unlink: the push is verified and queued, and nothing is left behind", async () => {
    const { scene, store, apps, pushes, answers } = await setUp(version);
    const app = await apps.link(request);
    expect(app.hook).toEqual({ state: "active", signed, reason: null });
    expect(scene.sandbox.rows.hooks.size).toBe(1);
    expect([...scene.sandbox.rows.deployKeys.values()].map((key) => key.title)).toEqual(["Fairlead shop"]);

    const stop = new AbortController();
    const running = pushes.run(stop.signal);
    await expect.poll(() => deployed(store)).toHaveLength(1); // the look at the start finds the first head
    await scene.git("clone", "-q", scene.remote(), "work");
    await scene.git("-C", "work", "commit", "-q", "--allow-empty", "-m", "Second");
    expect(await scene.git("-C", "work", "push", "-q", "origin", "main")).toMatchObject({ ok: true });
    const pushed = (await scene.git("-C", "work", "rev-parse", "HEAD")).output.trim();
    await scene.sandbox.settled();
    expect(answers).toEqual([{ kind: "accepted", deliveryId: expect.any(String) }]);
    await expect.poll(async () => (await deployed(store)).at(-1)).toBe(pushed);
    const [delivery] = await pushes.list("shop", 1);
    expect(delivery).toMatchObject({ verdict: "deployed", event: "push", ref: "refs/heads/main" });
    stop.abort();
    await running;

    expect(await apps.unlink("shop")).toEqual({ left: [] });
    expect(scene.sandbox.rows.hooks.size + scene.sandbox.rows.deployKeyLinks.size).toBe(0);
  });
});

test("a GitLab that may not call us: the link stands, polling serves", async () => {
  const { scene, store, apps, pushes } = await setUp("18.9.0");
  scene.sandbox.settings.allowLocalRequests = false;
  const app = await apps.link(request);
  expect(app.hook).toMatchObject({ state: "polling", reason: expect.stringContaining("Outbound requests") });
  const stop = new AbortController();
  const running = pushes.run(stop.signal);
  await expect.poll(() => deployed(store)).toHaveLength(1);
  stop.abort();
  await running;
  expect(await apps.unlink("shop")).toEqual({ left: [] });
});

test.each([
  ["a wrong token", null, "AUTH_FAILED"],
  ["a token without api", ["read_user"], "INSUFFICIENT_SCOPES"],
])("%s: the cause is named and nothing is stored", async (_name, scopes, code) => {
  const { scene, connections } = await setUp("18.9.0");
  const token = scopes === null ? "glpat-wrong" : scene.tokenWith({ scopes });
  await expect(
    connections.connect({ url: scene.sandbox.url, token: new Secret(token), name: "two" }),
  ).rejects.toMatchObject({ code });
  expect((await connections.list()).map((one) => one.name)).toEqual(["box"]);
});

test("a token revoked since: unlink names what stays and where", async () => {
  const { scene, apps } = await setUp("18.9.0");
  const app = await apps.link(request);
  for (const token of scene.sandbox.rows.tokens.values()) Object.assign(token, { revoked: true });
  const { left } = await apps.unlink("shop");
  expect(left.map((one) => [one.what, one.url])).toEqual([
    ["deploy_key", `${app.project.webUrl}/-/settings/repository`],
    ["hook", `${app.project.webUrl}/-/hooks`],
  ]);
  expect(await apps.list()).toEqual([]);
});
