import { sql } from "kysely";
import { describe, expect, onTestFinished, test } from "vitest";
import { createTestStore } from "../../test/support/database.ts";
import { faultOf } from "../../test/support/fault-of.ts";
import { createPlainVault } from "../../test/support/plain-vault.ts";
import { checkConnection } from "../doctor/check.ts";
import { Fault } from "../faults/fault.ts";
import { createGitLab } from "../gitlab/client.ts";
import type { GitLab } from "../gitlab/gitlab.ts";
import { deadline, systemClock, type Clock } from "../kernel/clock.ts";
import { Secret } from "../kernel/secret.ts";
import { waitUntil } from "../kernel/retry.ts";
import { createSandbox, type Sandbox } from "../sandbox/sandbox.ts";
import { silentLogger } from "../telemetry/log.ts";
import { createClients, tokenPlace } from "./clients.ts";
import { createConnections } from "./open.ts";
import { settleRotation } from "./rotate.ts";

const DAY = 86_400_000;

interface Options {
  readonly version?: string;
  /** Days until the token ends. */
  readonly days?: number;
  readonly clock?: Clock;
  readonly alter?: (gitlab: GitLab) => GitLab;
  readonly check?: typeof checkConnection;
}

const dayFromNow = (days: number): string => new Date(Date.now() + days * DAY).toISOString().slice(0, 10);

/** A connection `work` of ada to a sandbox, on a real database. */
async function setUp({
  version = "18.9.0",
  days = 60,
  clock = systemClock,
  alter = (given) => given,
  check = checkConnection,
}: Options = {}) {
  const store = await createTestStore();
  onTestFinished(() => store[Symbol.asyncDispose]());
  const sandbox = await createSandbox({ version });
  onTestFinished(() => sandbox.close());
  const ada = sandbox.state.createUser({ username: "ada" });
  const token = sandbox.state.createToken({ user: ada, expiresAt: dayFromNow(days), name: "deploy" });
  const vault = createPlainVault();
  const parts = {
    store,
    vault,
    checkConnection: check,
    createGitLab: (options: Parameters<typeof createGitLab>[0]) => alter(createGitLab(options)),
    log: silentLogger,
    clock,
  };
  const connections = createConnections(parts);
  onTestFinished(() => connections[Symbol.asyncDispose]());
  const { connection } = await connections.connect({
    url: sandbox.url,
    token: new Secret(token.value),
    name: "work",
  });
  const stored = async (): Promise<string> => (await connections.open(connection.id)).token.reveal();
  const events = async (): Promise<string[]> =>
    (await connections.listEvents("work", 100)).map(({ kind, text }) => `${kind}: ${text}`).toReversed();
  return { store, vault, sandbox, ada, token, connections, id: connection.id, stored, events, parts };
}

type Scene = Awaited<ReturnType<typeof setUp>>;

/** Runs the watch until the connection is as wished. */
async function watchUntil(
  { connections }: Scene,
  wish: (view: Awaited<ReturnType<typeof connections.get>>) => boolean | Promise<boolean>,
) {
  const stop = new AbortController();
  const watching = connections.watch(stop.signal);
  try {
    await waitUntil(async () => wish(await connections.get("work")), {
      everyMs: 20,
      signal: deadline(15_000),
    });
  } finally {
    stop.abort();
    await watching;
  }
}

const row = (sandbox: Sandbox, id: number) =>
  [...sandbox.rows.tokens.values()].find((token) => token.id === id);

describe("reconnect", () => {
  test("of the same user: stored at once, what is otherwise is said, trouble is over", async () => {
    const scene = await setUp();
    const { connections, sandbox, ada } = scene;
    await connections.suspect(scene.id, Fault.of("AUTH_FAILED", "revoked"));
    const next = sandbox.state.createToken({ user: ada, expiresAt: dayFromNow(90) });
    const { applied, changes, connection } = await connections.reconnect("work", {
      token: new Secret(` ${next.value}\n`),
      accept: false,
    });
    expect(applied).toBe(true);
    expect(changes).toEqual([`it expires ${dayFromNow(90)} instead of ${dayFromNow(60)}`]);
    expect(connection).toMatchObject({ trouble: null, pausedAt: null, tokenExpiresAt: dayFromNow(90) });
    expect(await scene.stored()).toBe(next.value);
  });

  test("of another user who cannot reach a linked project: said first, done when accepted", async () => {
    const scene = await setUp();
    const { connections, sandbox, ada, store, id } = scene;
    const project = await sandbox.state.createProject({ path: "acme/shop" });
    sandbox.state.addMember(project, ada, 40);
    await sql`insert into linked_project (id, connection_id, project_id, path, web_url, http_url, ssh_url, hook_path, hook_secret, hook_signing_key, hook_state)
      values ('lnk_1', ${id}, ${project.id}, 'acme/shop', '', '', '', 'x', '\\x00', '\\x00', 'none')`.execute(
      store.db,
    );
    const eve = sandbox.state.createUser({ username: "eve" });
    const other = { token: new Secret(sandbox.state.createToken({ user: eve }).value) };
    const before = await scene.stored();
    const asked = await connections.reconnect("work", { ...other, accept: false });
    expect(asked.applied).toBe(false);
    expect(asked.changes.join("\n")).toMatch(/its user is @eve instead of @ada/);
    expect(asked.changes.join("\n")).toMatch(/acme\/shop gets out of reach/);
    expect(await scene.stored()).toBe(before);
    expect((await connections.get("work")).username).toBe("ada");
    const done = await connections.reconnect("work", { ...other, accept: true });
    expect(done).toMatchObject({ applied: true, connection: { username: "eve" } });
    sandbox.state.addMember(project, eve, 40);
    const again = await connections.reconnect("work", {
      token: new Secret(sandbox.state.createToken({ user: eve }).value),
      accept: false,
    });
    expect(again.applied).toBe(true);
  });

  test("with a token that does not do: its own fault, and nothing has changed", async () => {
    const scene = await setUp();
    const before = await scene.stored();
    const dead = scene.sandbox.state.createToken({ user: scene.ada, revoked: true });
    const fault = await faultOf(
      scene.connections.reconnect("work", { token: new Secret(dead.value), accept: true }),
    );
    expect([fault.code, fault.reason]).toEqual(["AUTH_FAILED", "revoked"]);
    expect(await scene.stored()).toBe(before);
    expect(await scene.events()).toEqual([]);
  });
});

describe("watch", () => {
  test("a token that died is told once, everything waits, and goes on when it lives again", async () => {
    const scene = await setUp();
    const { connections, sandbox, token, id } = scene;
    sandbox.state.revokeToken(token.id);
    expect(await connections.suspect(id, Fault.of("AUTH_FAILED", "revoked"))).toBe(true);
    expect((await connections.get("work")).pausedAt).not.toBeNull();
    for (let look = 0; look < 3; look++) {
      await scene.store.db.updateTable("connection").set({ suspect_at: new Date() }).execute();
      const isLooked = async () =>
        (await scene.store.db.selectFrom("connection").select("suspect_at").executeTakeFirstOrThrow())
          .suspect_at === null;
      await watchUntil(scene, isLooked);
    }
    expect((await connections.get("work")).trouble).toMatchObject({ code: "AUTH_FAILED", reason: "revoked" });
    expect(await scene.events()).toEqual([expect.stringMatching(/^trouble: AUTH_FAILED \(revoked\)/)]);
    const dead = row(sandbox, token.id);
    if (dead) dead.revoked = false;
    await scene.store.db.updateTable("connection").set({ suspect_at: new Date() }).execute();
    await watchUntil(scene, ({ trouble, pausedAt }) => trouble === null && pausedAt === null);
    expect(await scene.events()).toHaveLength(2);
  });

  test("what a look found out about the token before is no news of the one that was given meanwhile", async () => {
    let looks = 0;
    const scene: Scene = await setUp({
      check: async (request) => {
        const checked = await checkConnection(request);
        if (checked.diagnosis.ok) return checked;
        looks += 1;
        const given = scene.sandbox.state.createToken({ user: scene.ada, expiresAt: dayFromNow(60) }).value;
        await scene.connections.reconnect("work", { token: new Secret(given), accept: false });
        return checked;
      },
    });
    scene.sandbox.state.revokeToken(scene.token.id);
    await scene.connections.suspect(scene.id, Fault.of("AUTH_FAILED", "revoked"));
    await watchUntil(scene, () => looks === 1);
    expect(await scene.connections.get("work")).toMatchObject({ trouble: null, pausedAt: null });
    expect((await scene.events()).map((text) => text.split(":")[0])).toEqual(["trouble", "reconnected"]);
  });

  test("a suspicion that proves false is over with the look", async () => {
    const scene = await setUp();
    await scene.connections.suspect(scene.id, Fault.of("GIT_AUTH_FAILED", ""));
    await watchUntil(scene, ({ pausedAt, trouble }) => pausedAt === null && trouble === null);
    expect((await scene.events()).map((text) => text.split(":")[0])).toEqual(["trouble", "recovered"]);
  });

  test("a GitLab that is away is trouble, but nothing waits for a person; what waits goes on waiting", async () => {
    const scene = await setUp();
    scene.sandbox.faults.front.answer = "bad_gateway";
    const fails = () => scene.connections.suspect(scene.id, Fault.of("GITLAB_UNAVAILABLE", "bad_gateway"));
    const suspected = async () =>
      (await scene.store.db.selectFrom("connection").select("suspect_at").executeTakeFirstOrThrow())
        .suspect_at;
    expect([await fails(), await suspected()]).toEqual([false, null]); // it was looked at a moment ago
    await scene.store.db
      .updateTable("connection")
      .set({ checked_at: new Date(Date.now() - 120_000) })
      .execute();
    expect([await fails(), await suspected()]).toEqual([false, expect.any(Date)]);
    await watchUntil(scene, ({ trouble }) => trouble?.code === "GITLAB_UNAVAILABLE");
    expect((await scene.connections.get("work")).pausedAt).toBeNull();
    await scene.connections.suspect(scene.id, Fault.of("AUTH_FAILED", "expired"));
    await watchUntil(
      scene,
      async () =>
        (await scene.store.db.selectFrom("connection").select("suspect_at").executeTakeFirstOrThrow())
          .suspect_at === null,
    );
    expect((await scene.connections.get("work")).pausedAt).not.toBeNull();
  });

  test("the end of the token is told at 30, 14, 7 and 1 days, once each, and anew for a new token", async () => {
    let now = Date.now();
    const scene = await setUp({ days: 40, clock: { now: () => now } });
    const lookAt = async (daysLeft: number) => {
      now = Date.parse(dayFromNow(40)) - daysLeft * DAY;
      await scene.store.db.updateTable("connection").set({ suspect_at: new Date() }).execute();
      await watchUntil(
        scene,
        async () =>
          (await scene.store.db.selectFrom("connection").select("suspect_at").executeTakeFirstOrThrow())
            .suspect_at === null,
      );
      return (await scene.events()).filter((text) => text.startsWith("expires")).length;
    };
    const counts: number[] = [];
    for (const days of [39, 30, 29, 14, 14, 8, 7, 2, 1, 1]) counts.push(await lookAt(days));
    expect(counts).toEqual([0, 1, 1, 2, 2, 2, 3, 3, 4, 4]);
  });
});

describe("rotate", () => {
  test("the successor is stored and works, the one before is dead", async () => {
    const scene = await setUp();
    const view = await scene.connections.rotate("work", 90);
    expect(view.tokenExpiresAt).toBe(dayFromNow(90));
    expect(row(scene.sandbox, scene.token.id)?.revoked).toBe(true);
    const { gitlab } = await scene.connections.open(scene.id);
    expect((await gitlab.getUser()).username).toBe("ada");
    expect(await scene.stored()).not.toBe(scene.token.value);
    expect(await scene.events()).toEqual([
      `rotated: The token was replaced; its successor lives until ${dayFromNow(90)}`,
    ]);
  });

  test("two at once: one is refused, one token comes of it", async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const scene = await setUp({
      alter: (gitlab) => ({
        ...gitlab,
        rotateToken: async (request, call) => {
          asked.resolve();
          await answer.promise;
          return gitlab.rotateToken(request, call);
        },
        [Symbol.asyncDispose]: () => gitlab[Symbol.asyncDispose](),
      }),
    });
    const first = scene.connections.rotate("work", 90);
    await asked.promise;
    expect((await faultOf(scene.connections.rotate("work", 90))).code).toBe("CONFLICT");
    answer.resolve();
    await first;
    expect((await scene.connections.get("work")).trouble).toBeNull();
    expect((await (await scene.connections.open(scene.id)).gitlab.getUser()).username).toBe("ada");
  });

  test("a token given meanwhile stays: the successor of the one before is not written over it", async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const scene = await setUp({
      alter: (gitlab) => ({
        ...gitlab,
        rotateToken: async (request, call) => {
          asked.resolve();
          await answer.promise;
          return gitlab.rotateToken(request, call);
        },
        [Symbol.asyncDispose]: () => gitlab[Symbol.asyncDispose](),
      }),
    });
    const rotating = faultOf(scene.connections.rotate("work", 90));
    await asked.promise;
    const given = scene.sandbox.state.createToken({ user: scene.ada, expiresAt: dayFromNow(60) }).value;
    await scene.connections.reconnect("work", { token: new Secret(given), accept: false });
    answer.resolve();
    const fault = await rotating;
    expect(fault.code).toBe("CONFLICT");
    expect(fault.message).toMatch(/its successor is used by nobody/);
    expect(await scene.stored()).toBe(given);
    expect((await scene.events()).map((text) => text.split(":")[0])).toEqual(["reconnected"]);
  });

  test("a lost answer says nothing of a token that was given meanwhile", async () => {
    const scene: Scene = await setUp({
      alter: (gitlab) => ({
        ...gitlab,
        rotateToken: async (request, call) => {
          await gitlab.rotateToken(request, call);
          const given = scene.sandbox.state.createToken({ user: scene.ada, expiresAt: dayFromNow(60) }).value;
          await scene.connections.reconnect("work", { token: new Secret(given), accept: false });
          throw Fault.of("UNREACHABLE", "reset");
        },
        [Symbol.asyncDispose]: () => gitlab[Symbol.asyncDispose](),
      }),
    });
    expect((await faultOf(scene.connections.rotate("work", 90))).code).toBe("UNREACHABLE");
    expect(await scene.connections.get("work")).toMatchObject({ trouble: null, pausedAt: null });
    expect((await scene.events()).map((text) => text.split(":")[0])).toEqual(["reconnected"]);
  });

  test("never with a dead token from an old backup: its successor stays alive", async () => {
    const scene = await setUp();
    await scene.connections.rotate("work", 90);
    const successor = await scene.stored();
    const sealed = scene.vault.seal(new Secret(scene.token.value), tokenPlace(scene.id, scene.sandbox.url));
    await scene.store.db.updateTable("connection").set({ token: sealed }).execute();
    const fault = await faultOf(scene.connections.rotate("work", 90));
    expect([fault.code, fault.reason]).toEqual(["AUTH_FAILED", "revoked"]);
    await using gitlab = createGitLab({ baseUrl: scene.sandbox.url, token: new Secret(successor) });
    expect((await gitlab.getUser()).username).toBe("ada");
  });

  test.each(["15.11.0", "13.12.0"])("GitLab %s cannot: said, and the token is as it was", async (version) => {
    const scene = await setUp({ version });
    expect((await faultOf(scene.connections.rotate("work", 90))).code).toBe("BAD_REQUEST");
    expect(await scene.stored()).toBe(scene.token.value);
    await (await scene.connections.open(scene.id)).gitlab.getUser();
  });

  test("16.3 rotates by the token's number", async () => {
    const scene = await setUp({ version: "16.3.0" });
    await scene.connections.rotate("work", 90);
    expect(await scene.stored()).not.toBe(scene.token.value);
  });

  test("an answer that was lost: told that the successor is gone, and nothing is asked with a dead token again", async () => {
    let calls = 0;
    const scene = await setUp({
      alter: (gitlab) => ({
        ...gitlab,
        rotateToken: async (request, call) => {
          calls += 1;
          await gitlab.rotateToken(request, call);
          throw Fault.of("UNREACHABLE", "reset");
        },
        [Symbol.asyncDispose]: () => gitlab[Symbol.asyncDispose](),
      }),
    });
    expect((await faultOf(scene.connections.rotate("work", 90))).code).toBe("UNREACHABLE");
    const view = await scene.connections.get("work");
    expect(view.pausedAt).not.toBeNull();
    expect((await scene.events()).join("\n")).toMatch(/its successor is lost: reconnect/);
    expect((await faultOf(scene.connections.rotate("work", 90))).code).toBe("AUTH_FAILED");
    expect(calls).toBe(1);
  });

  test("a call that never reached GitLab leaves the token, and may be repeated", async () => {
    let broken = true;
    const scene = await setUp({
      alter: (gitlab) => ({
        ...gitlab,
        rotateToken: (request, call) =>
          broken ? Promise.reject(Fault.of("UNREACHABLE", "timeout")) : gitlab.rotateToken(request, call),
        [Symbol.asyncDispose]: () => gitlab[Symbol.asyncDispose](),
      }),
    });
    expect((await faultOf(scene.connections.rotate("work", 90))).code).toBe("UNREACHABLE");
    expect((await scene.connections.get("work")).pausedAt).toBeNull();
    broken = false;
    await scene.connections.rotate("work", 90);
    expect(await scene.stored()).not.toBe(scene.token.value);
  });

  test.each([false, true])("broken off by a crash, with the token dead: %s", async (dead) => {
    const scene = await setUp();
    if (dead) scene.sandbox.state.revokeToken(scene.token.id);
    await scene.store.db
      .updateTable("connection")
      .set({ rotating_at: new Date(Date.now() - 600_000) })
      .execute();
    await using clients = createClients({ ...scene.parts, db: scene.store.db });
    await settleRotation({ ...scene.parts, clients }, scene.id);
    const after = await scene.store.db
      .selectFrom("connection")
      .select(["rotating_at", "paused_at"])
      .executeTakeFirstOrThrow();
    expect([after.rotating_at, after.paused_at !== null]).toEqual([null, dead]);
  });

  test("by policy: once, in time", async () => {
    const scene = await setUp({ days: 10 });
    await scene.connections.setRotation("work", { beforeDays: 14, forDays: 12 });
    const suspected = () =>
      scene.store.db.updateTable("connection").set({ suspect_at: new Date() }).execute();
    await suspected();
    await watchUntil(scene, ({ tokenExpiresAt }) => tokenExpiresAt === dayFromNow(12));
    await suspected();
    await watchUntil(
      scene,
      async () =>
        (await scene.store.db.selectFrom("connection").select("suspect_at").executeTakeFirstOrThrow())
          .suspect_at === null,
    );
    expect((await scene.events()).filter((text) => text.startsWith("rotated"))).toHaveLength(1);
  });
});
