import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createTestStore } from "../../test/support/database.ts";
import { enqueueOnly } from "../../test/support/pushes-world.ts";
import { createApps } from "../apps/open.ts";
import { createConnections } from "../connections/open.ts";
import { checkConnection } from "../doctor/check.ts";
import type { Diagnosis } from "../doctor/diagnosis.ts";
import { createGitLab } from "../gitlab/client.ts";
import { systemClock } from "../kernel/clock.ts";
import { Secret } from "../kernel/secret.ts";
import { openScene } from "../sandbox/scene.suite.ts";
import { openVault } from "../secrets/open-vault.ts";
import { silentLogger } from "../telemetry/log.ts";
import { diagnose } from "./diagnose.ts";
import { createPushes } from "./open.ts";

/** A linked project over a real wire; `answers: false` makes the receiver say 200 without taking anything, as a sign-in page does. */
async function setUp(version = "19.1.0") {
  const after = new AsyncDisposableStack();
  onTestFinished(() => after.disposeAsync());
  const scene = after.use(await openScene({ version }));
  const store = after.use(await createTestStore());
  const folder = await mkdtemp(join(tmpdir(), "fairlead-key-"));
  after.defer(() => rm(folder, { recursive: true, force: true }));
  const vault = await openVault(store, { keyFile: join(folder, "secret.key") });
  const log = silentLogger;
  const connections = after.use(createConnections({ store, vault, createGitLab, checkConnection, log }));
  const receiver = { takes: true };
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    const answer = async (): Promise<void> => {
      const headers = Object.fromEntries(
        Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
      );
      const hookPath = incoming.url?.split("/").at(-1) ?? "";
      if (receiver.takes) await pushes.accept({ hookPath, headers, body: Buffer.concat(chunks) });
      response.end("{}");
    };
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => void answer());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  after.defer(() => void server.close());
  const publicUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const parts = { store, vault, connections, log };
  const pushes = createPushes({ ...parts, clock: systemClock, enqueue: enqueueOnly(store) });
  const apps = createApps({
    ...parts,
    publicUrl,
    appsDomain: "localhost",
    publicAppUrl: (host) => `http://${host}`,
    teardown: async () => {},
    forgetSource: async () => {},
    onLinked: async () => {},
  });
  await connections.connect({ url: scene.sandbox.url, token: new Secret(scene.token), name: "box" });
  await apps.link({ connection: "box", project: "acme/shop" });
  const searchPath = process.env["PATH"] ?? "";
  const look = (probe = false): Promise<Diagnosis> =>
    diagnose({ store, connections, checkConnection, publicUrl, searchPath }, "box", { probe });
  return { scene, store, apps, look, receiver };
}

/** For ever: an id may move, it never changes its meaning. */
const IDS = `
  url.shape net.dns net.tcp net.proxy tls.chain http.redirect gitlab.is gitlab.version time.skew
  token.alive token.kind token.scopes token.expiry user.state api.limits project.visible project.role git.binary
  git.read git.ssh hook.address hook.present hook.deliveries hook.roundtrip hook.gap status.write admin.settings
`
  .trim()
  .split(/\s+/);

const find = ({ checks }: Diagnosis, id: string) => checks.find((check) => check.id === id);
const stateOf = (diagnosis: Diagnosis, id: string): string => find(diagnosis, id)?.state ?? "absent";

describe("a linked project", () => {
  test("that is sound: every check is told, and GitLab's call arrives", async () => {
    const { store, look } = await setUp();
    const head = await store.db.updateTable("environment").set({ wanted_commit: null }).executeTakeFirst();
    expect(head.numUpdatedRows).toBe(1n);
    const diagnosis = await look(true);
    expect(diagnosis.error).toBeNull();
    expect(diagnosis.checks.map(({ id }) => id)).toEqual(IDS);
    expect(find(diagnosis, "hook.roundtrip")).toMatchObject({
      state: "ok",
      evidenceSource: "provider-delivery",
    });
    expect(find(diagnosis, "hook.present")).toMatchObject({ state: "ok" });
    expect(find(diagnosis, "hook.gap")).toMatchObject({
      state: "warn",
      evidence: expect.stringMatching(/^shop\/production: main is at [0-9a-f]{8}, not deployed$/),
    });
    expect(stateOf(diagnosis, "status.write")).toBe("unknown");
  });

  test("whose webhook was deleted, and key: found, listed, made again, once", async () => {
    const { scene, apps, look } = await setUp();
    const { rows } = scene.sandbox;
    rows.hooks.clear();
    rows.deployKeyLinks.clear();
    rows.deployKeys.clear();
    expect(find(await look(), "hook.present")).toMatchObject({
      state: "warn",
      title: "The webhook of acme/shop is gone",
    });
    const repairs = await apps.listRepairs("box");
    expect(repairs.map(({ text }) => text)).toEqual([
      "Make the webhook of acme/shop",
      "Make the read-only deploy key of shop in acme/shop again",
    ]);
    expect([rows.hooks.size, rows.deployKeys.size]).toEqual([0, 0]);
    const repaired = await apps.repair("box");
    expect(repaired.map(({ failed }) => failed)).toEqual([null, null]);
    expect([rows.hooks.size, rows.deployKeys.size]).toEqual([1, 1]);
    expect(await apps.listRepairs("box")).toEqual([]);
    expect(stateOf(await look(true), "hook.roundtrip")).toBe("ok");
  });

  test("whose webhook was changed by hand, or switched off by GitLab", async () => {
    const { scene, apps, look } = await setUp();
    const change = (facts: object): void => {
      for (const hook of scene.sandbox.rows.hooks.values()) Object.assign(hook, facts);
    };
    change({ branchFilter: "release/*" });
    expect(find(await look(), "hook.present")).toMatchObject({
      state: "warn",
      evidence: expect.stringContaining("branches like release/* only"),
    });
    scene.sandbox.settings.autoDisableWebhooks = true;
    change({ branchFilter: "", disabledForGood: true });
    const diagnosis = await look();
    expect(diagnosis.error).toMatchObject({ code: "HOOK_DISABLED" });
    expect(diagnosis.error?.fix.join()).toContain(`${scene.sandbox.url}/acme/shop/-/hooks`);
    expect((await apps.repair("box")).map(({ text, failed }) => [text, failed])).toEqual([
      ["Switch the webhook of acme/shop on again, by letting GitLab call it", null],
    ]);
  });

  test("behind something that answers for Fairlead", async () => {
    const { look, receiver } = await setUp();
    receiver.takes = false;
    const diagnosis = await look(true);
    expect(find(diagnosis, "hook.roundtrip")).toMatchObject({
      state: "warn",
      title: "GitLab's call was answered, but not by Fairlead",
    });
    expect(find(await look(), "hook.deliveries")).toMatchObject({
      state: "warn",
      title: "GitLab's calls are answered, but not by Fairlead",
    });
  });

  test("whose calls GitLab's settings stop", async () => {
    const { scene, look } = await setUp();
    scene.sandbox.settings.allowLocalRequests = false;
    expect((await look(true)).error).toMatchObject({
      code: "HOOK_URL_REFUSED",
      evidence: { words: expect.stringContaining("URL is blocked") },
    });
    scene.sandbox.settings.silentMode = true;
    expect((await look(true)).error).toMatchObject({ code: "HOOKS_SILENCED" });
  });

  test("on a GitLab without test and log", async () => {
    const { look } = await setUp("15.5.0");
    const diagnosis = await look(true);
    expect(diagnosis.error).toBeNull();
    expect(stateOf(diagnosis, "hook.roundtrip")).toBe("unknown");
    expect(stateOf(diagnosis, "hook.deliveries")).toBe("ok");
  });
});

test("a connection that is not there", async () => {
  const { apps } = await setUp();
  await expect(apps.listRepairs("nothing")).rejects.toMatchObject({ code: "NOT_FOUND" });
});
