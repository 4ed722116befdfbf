import { sql } from "kysely";
import { describe, expect, onTestFinished, test } from "vitest";
import { tlsFixture } from "../../test/support/answering-server.ts";
import { createTestStore } from "../../test/support/database.ts";
import { checked } from "../../test/support/checked.ts";
import { createMemoryGitLab } from "../../test/support/memory-gitlab.ts";
import { createPlainVault } from "../../test/support/plain-vault.ts";
import type { GitLabOptions } from "../gitlab/gitlab.ts";
import { parseNetwork } from "../gitlab/parse-network.ts";
import { Secret } from "../kernel/secret.ts";
import { silentLogger } from "../telemetry/log.ts";
import type { CheckConnection } from "./connect.ts";
import { createConnections } from "./open.ts";

const sound = checked();

async function setUp(checkConnection: CheckConnection = async () => sound) {
  const store = await createTestStore();
  onTestFinished(() => store[Symbol.asyncDispose]());
  const opened: { options: GitLabOptions; disposed: () => number }[] = [];
  const connections = createConnections({
    store,
    vault: createPlainVault(),
    checkConnection,
    createGitLab: (options) => {
      const memory = createMemoryGitLab({}, options.baseUrl);
      opened.push({ options, disposed: () => memory.disposed });
      return memory.client;
    },
    log: silentLogger,
  });
  onTestFinished(() => connections[Symbol.asyncDispose]());
  return { store, connections, opened };
}

const request = { url: "https://git.acme.lan/gitlab/", token: new Secret(" glpat-secret-1\n") };

describe("connect", () => {
  test("stores what the doctor found, under the host's name, and gives the diagnosis back", async () => {
    const { connections } = await setUp();
    const { connection, diagnosis } = await connections.connect(request);
    expect(diagnosis).toBe(sound.diagnosis);
    expect(connection).toMatchObject({
      name: "git.acme.lan",
      baseUrl: "https://git.acme.lan/gitlab",
      version: "19.0.1",
      tokenKind: "personal",
      tokenScopes: ["api"],
      tokenExpiresAt: "2027-01-31",
      username: "ada",
    });
    expect(await connections.list()).toEqual([connection]);
    expect(await connections.get("git.acme.lan")).toEqual(connection);
    expect(await connections.get(connection.id)).toEqual(connection);
  });

  test("the first broken layer is thrown as its Fault, and nothing is stored", async () => {
    const error = {
      code: "INSUFFICIENT_SCOPES",
      reason: "missing_api",
      title: "The token lacks api",
      cause: "",
      fix: [],
      evidence: { status: 403 },
    };
    const { connections } = await setUp(async () => ({
      found: null,
      diagnosis: { ...sound.diagnosis, ok: false, error },
    }));
    await expect(connections.connect(request)).rejects.toMatchObject({
      code: "INSUFFICIENT_SCOPES",
      reason: "missing_api",
      evidence: { status: 403 },
    });
    expect(await connections.list()).toEqual([]);
  });

  test.each(["constructor", "AUTH_FAILED"])(
    "a code or reason that is none (%s) does not pass as a Fault's",
    async (code) => {
      const error = { code, reason: "__proto__", title: "?", cause: "", fix: [], evidence: {} };
      const { connections } = await setUp(async () => ({
        found: null,
        diagnosis: { ...sound.diagnosis, ok: false, error },
      }));
      await expect(connections.connect(request)).rejects.toMatchObject({ code: "INTERNAL" });
    },
  );

  test("neither sound nor an error: refused, nothing stored", async () => {
    const { connections } = await setUp(async () => ({
      found: null,
      diagnosis: { ...sound.diagnosis, ok: false },
    }));
    await expect(connections.connect(request)).rejects.toMatchObject({ code: "INTERNAL" });
    expect(await connections.list()).toEqual([]);
  });

  test("the default name is made free, a chosen one that is taken is refused before anything is asked", async () => {
    let checks = 0;
    const { connections } = await setUp(async () => {
      checks++;
      return sound;
    });
    const names = await Promise.all(
      [1, 2, 3].map(async () => (await connections.connect(request)).connection.name),
    );
    expect(names.sort()).toEqual(["git.acme.lan", "git.acme.lan-2", "git.acme.lan-3"]);
    await expect(connections.connect({ ...request, name: "git.acme.lan" })).rejects.toMatchObject({
      code: "CONFLICT",
      reason: "name_taken",
    });
    expect(checks).toBe(3);
  });

  test("of two at once with one chosen name one wins", async () => {
    const { connections } = await setUp();
    const tries = await Promise.allSettled(
      [1, 2, 3].map(() => connections.connect({ ...request, name: "work" })),
    );
    expect(tries.filter((one) => one.status === "fulfilled")).toHaveLength(1);
    expect((await connections.list()).map((one) => one.name)).toEqual(["work"]);
  });

  test("an abort after the diagnosis stores nothing", async () => {
    const stop = new AbortController();
    const { connections } = await setUp(async () => {
      stop.abort();
      return sound;
    });
    await expect(connections.connect(request, stop.signal)).rejects.toThrow("aborted");
    expect(await connections.list()).toEqual([]);
  });
});

describe("the token", () => {
  test("is in no view and opens only for its origin", async () => {
    const { store, connections, opened } = await setUp();
    const { connection } = await connections.connect(request);
    expect(JSON.stringify([connection, await connections.list()])).not.toContain("glpat-secret-1");
    const open = await connections.open(connection.id);
    expect(open.token.reveal()).toBe("glpat-secret-1"); // pasted blanks are gone
    expect(opened[0]?.options.token.reveal()).toBe("glpat-secret-1");

    await store.db.updateTable("connection").set({ base_url: "https://evil.example" }).execute();
    await expect(connections.open(connection.id)).rejects.toMatchObject({ code: "KEY_UNUSABLE" });
    expect(opened).toHaveLength(1);
  });

  test("nor do proxy, client certificate and headers show, and they open for their origin alone", async () => {
    const { store, connections, opened } = await setUp();
    const network = parseNetwork({
      ca: tlsFixture("ca.pem"),
      proxy: "http://amy:hunter2@proxy.acme.lan:3128",
      clientCert: tlsFixture("client.pem"),
      clientKey: tlsFixture("client-key.pem"),
      headers: { "x-gate": "g4te-value" },
    });
    const { connection } = await connections.connect({ ...request, network });
    expect(JSON.stringify([connection, await connections.list()])).not.toMatch(/hunter2|g4te|PRIVATE/);
    expect(connection.reachedBy).toEqual(["ca", "proxy", "client certificate", "headers"]);
    const open = await connections.open(connection.id);
    expect(open.network.proxy?.reveal()).toBe("http://amy:hunter2@proxy.acme.lan:3128");
    expect(open.network.headers?.["x-gate"]?.reveal()).toBe("g4te-value");
    expect(opened[0]?.options).toMatchObject({ ca: network.ca });
    expect(opened[0]?.options.clientCertificate?.key.reveal()).toBe(tlsFixture("client-key.pem"));
    await sql`update connection set network = token`.execute(store.db);
    await expect(connections.open(connection.id)).rejects.toMatchObject({ code: "KEY_UNUSABLE" });
  });

  test("moved to another row it does not open", async () => {
    const { store, connections } = await setUp();
    const one = await connections.connect(request);
    const two = await connections.connect({ ...request, token: new Secret("glpat-secret-2") });
    await sql`update connection set token = (select token from connection where id = ${one.connection.id})
      where id = ${two.connection.id}`.execute(store.db);
    await expect(connections.open(two.connection.id)).rejects.toMatchObject({ code: "KEY_UNUSABLE" });
  });
});

describe("open", () => {
  test("keeps one client, opens another when the row has changed, and closes the old one", async () => {
    const { store, connections, opened } = await setUp();
    const { connection } = await connections.connect(request);
    const first = await connections.open(connection.id);
    expect(await connections.open(connection.id)).toBe(first);
    expect(opened).toHaveLength(1);

    await store.db.updateTable("connection").set({ ca: "PEM" }).execute(); // as another process would
    const second = await connections.open(connection.id);
    expect(second.network.ca).toBe("PEM");
    expect(opened).toHaveLength(2);
    expect(opened[0]?.disposed()).toBe(1);
  });

  test("many at once share one client, and disposing closes it", async () => {
    const { connections, opened } = await setUp();
    const { connection } = await connections.connect(request);
    await Promise.all(Array.from({ length: 20 }, () => connections.open(connection.id)));
    const alive = (): number => opened.filter((one) => one.disposed() === 0).length;
    expect(alive()).toBe(1);
    await connections[Symbol.asyncDispose]();
    expect(alive()).toBe(0);
  });

  test("forgotten by another process: NOT_FOUND, and the client is closed", async () => {
    const { store, connections, opened } = await setUp();
    const { connection } = await connections.connect(request);
    await connections.open(connection.id);
    await store.db.deleteFrom("connection").execute();
    await expect(connections.open(connection.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(opened[0]?.disposed()).toBe(1);
  });
});

describe("forget", () => {
  test("removes row and client; again is no error; the name is free", async () => {
    const { connections, opened } = await setUp();
    const { connection } = await connections.connect(request);
    await connections.open(connection.id);
    await connections.forget(connection.id);
    await connections.forget(connection.id);
    expect(opened[0]?.disposed()).toBe(1);
    await expect(connections.get(connection.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect((await connections.connect(request)).connection.name).toBe("git.acme.lan");
  });

  test("is refused while a project is linked", async () => {
    const { store, connections } = await setUp();
    const { connection } = await connections.connect(request);
    await store.db
      .insertInto("linked_project")
      .values({
        id: "prj_1",
        connection_id: connection.id,
        project_id: 1,
        path: "a/b",
        web_url: "",
        http_url: "",
        ssh_url: "",
        hook_path: "x",
        hook_secret: Buffer.alloc(1),
        hook_signing_key: Buffer.alloc(1),
        hook_state: "none",
      })
      .execute();
    await expect(connections.forget(connection.id)).rejects.toMatchObject({
      code: "CONFLICT",
      reason: "in_use",
    });
    await connections.open(connection.id);
  });
});
