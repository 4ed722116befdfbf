import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { OpenConnection } from "../../src/connections/connections.ts";
import { suspect } from "../../src/connections/trouble.ts";
import { DEFAULT_DEADLINES, type Parts } from "../../src/deployments/context.ts";
import { createEnqueue, type Enqueue, type EnqueueRequest } from "../../src/deployments/enqueue.ts";
import { openQueue } from "../../src/deployments/queue.ts";
import type { Edge, Route } from "../../src/edge/edge.ts";
import { Fault } from "../../src/faults/fault.ts";
import type { CommitStatus } from "../../src/gitlab/gitlab.ts";
import { newId } from "../../src/kernel/ids.ts";
import { Secret } from "../../src/kernel/secret.ts";
import type { Fence, Replica, Runtime, StartRequest } from "../../src/runtimes/runtime.ts";
import type { Source } from "../../src/source/source.ts";
import type { Store } from "../../src/store/store.ts";
import { silentLogger } from "../../src/telemetry/log.ts";

/**
 * A stage for deployments: the real database and queue, and small ports in this process that keep their contracts (fences and generations
 * included) and can be told to wait or to fail at any call.
 */
export interface Stage extends AsyncDisposable {
  readonly store: Store;
  readonly environmentId: string;
  readonly appId: string;
  readonly parts: Parts;
  readonly enqueue: Enqueue;
  readonly edge: StageEdge;
  readonly runtime: StageRuntime;
  readonly statuses: (CommitStatus & { sha: string })[];
  /** Called before a port does its work; may wait or throw. */
  before: (call: string, request: { readonly signal?: AbortSignal }) => Promise<void>;
  push(commit: string, more?: Partial<EnqueueRequest>): Promise<string>;
  state(deploymentId: string): Promise<string>;
  /** A second worker of the same stage: another name, the same rows and ports. */
  otherWorker(name: string): Parts;
}

export interface StageEdge extends Edge {
  readonly table: Map<string, Route>;
  /** What the app answers through the edge now; null without a route. */
  ask(host: string): Promise<string | null>;
}

export interface StageRuntime extends Runtime {
  readonly replicas: Map<string, { view: Replica; server: Server }>;
  /** How a release of this commit answers: a status, `exit`, or by switching protocols unasked. Default 200. */
  readonly behaviour: Map<string, number | "exit" | "upgrade">;
  readonly calls: { name: string; fence: Fence | null }[];
}

export const HOST = "shop.localhost";

export async function createStage(store: Store): Promise<Stage> {
  const dataDir = await mkdtemp(join(tmpdir(), "fairlead-stage-"));
  const rows = await insertRows(store);
  const statuses: Stage["statuses"] = [];
  const hooks: { before: Stage["before"] } = { before: async () => {} };
  const before = (call: string, request: { readonly signal?: AbortSignal } = {}): Promise<void> =>
    hooks.before(call, request);
  const runtime = createRuntime(before);
  const edge = createEdge(before, runtime);
  const queue = await openQueue(store, silentLogger);
  const appUrl = (host: string): string => `http://${host}:8080`;
  const enqueue = createEnqueue({ queue, appUrl, notify: (tx, id) => store.notify("deployment", id, tx) });
  const ending = new AbortController();
  const later = new Set<Promise<void>>();
  const parts: Parts = {
    store,
    queue,
    edge,
    runtime,
    dataDir,
    appUrl,
    source: createSource(before),
    connections: createConnections(store, statuses, before),
    log: silentLogger,
    metrics: { observeDeployment: () => {}, observeStep: () => {} },
    workerId: newId("wrk"),
    limits: { memoryMb: 256, processes: 64 },
    deadlines: { ...DEFAULT_DEADLINES, healthy: 1500, drain: 500, stop: 500 },
    allowUnisolated: false,
    redact: (text) => text,
    afterwards: (_name, work) => {
      const done = work(ending.signal)
        .catch(() => {})
        .finally(() => later.delete(done));
      later.add(done);
    },
  };
  return {
    store,
    ...rows,
    parts,
    enqueue,
    edge,
    runtime,
    statuses,
    get before() {
      return hooks.before;
    },
    set before(next) {
      hooks.before = next;
    },
    async push(commit, more = {}) {
      const request: EnqueueRequest = {
        environmentId: rows.environmentId,
        commit,
        ref: "main",
        title: `commit ${commit.slice(0, 4)}`,
        author: "Ada",
        cause: "push",
        deliveryId: null,
        releaseId: null,
        ...more,
      };
      return (await store.transaction((tx) => enqueue(tx, request))).deploymentId;
    },
    async state(deploymentId) {
      const row = await store.db
        .selectFrom("deployment")
        .select("state")
        .where("id", "=", deploymentId)
        .executeTakeFirstOrThrow();
      return row.state;
    },
    otherWorker: (name) => ({ ...parts, workerId: name }),
    async [Symbol.asyncDispose]() {
      ending.abort();
      await Promise.all(later);
      await queue[Symbol.asyncDispose]();
      for (const { server } of runtime.replicas.values()) server.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function insertRows(store: Store): Promise<{ environmentId: string; appId: string }> {
  const ids = {
    connection: newId("con"),
    project: newId("prj"),
    appId: newId("app"),
    environmentId: newId("env"),
  };
  const address = "https://git.example.com";
  await store.db
    .insertInto("connection")
    .values({
      id: ids.connection,
      name: "git",
      base_url: address,
      web_url: address,
      token: Buffer.from("x"),
      token_kind: "personal",
      token_scopes: ["api"],
      token_scopes_known_by: "self",
    })
    .execute();
  await store.db
    .insertInto("linked_project")
    .values({
      id: ids.project,
      connection_id: ids.connection,
      project_id: 42,
      path: "acme/shop",
      web_url: `${address}/acme/shop`,
      http_url: `${address}/acme/shop.git`,
      ssh_url: "git@git.example.com:acme/shop.git",
      hook_path: newId("prj"),
      hook_secret: Buffer.from("x"),
      hook_signing_key: Buffer.from("x"),
      hook_state: "polling",
    })
    .execute();
  await store.db
    .insertInto("app")
    .values({ id: ids.appId, name: "shop", linked_project_id: ids.project })
    .execute();
  await store.db
    .insertInto("environment")
    .values({ id: ids.environmentId, app_id: ids.appId, name: "production", branch: "main", host: HOST })
    .execute();
  return ids;
}

type Before = (call: string, request?: { readonly signal?: AbortSignal }) => Promise<void>;

/** The tree of a commit is one page that names it. */
function createSource(before: Before): Source {
  return {
    async checkOut(request) {
      await before("checkOut", request);
      request.signal.throwIfAborted();
      await mkdir(request.workspace, { recursive: true });
      await writeFile(join(request.workspace, "index.html"), request.commit);
      await writeFile(join(request.workspace, "package.json"), '{"scripts":{"build":"true"}}');
      return { commit: request.commit, title: `commit ${request.commit.slice(0, 4)}`, author: "Ada" };
    },
    follow: async () => {},
    fillMirror: async () => {},
    forget: async () => {},
  };
}

function createRuntime(before: Before): StageRuntime {
  const replicas: StageRuntime["replicas"] = new Map();
  const behaviour: StageRuntime["behaviour"] = new Map();
  const calls: StageRuntime["calls"] = [];
  const highest = new Map<string, number>();
  const check = (name: string, fence: Fence | null): void => {
    calls.push({ name, fence });
    if (!fence) return;
    if (fence.attempt < (highest.get(fence.deploymentId) ?? 0)) throw Fault.of("LOST_WORKER", "");
    highest.set(fence.deploymentId, fence.attempt);
  };
  return {
    name: "stage",
    replicas,
    behaviour,
    calls,
    isolation: async () => ({ method: "stage", isolated: true, explanation: "" }),
    async build(request) {
      await before("build", request);
      check("build", request.fence);
    },
    async start(request) {
      await before("start");
      check("start", request.fence);
      const started = await startReplica(request, replicas, behaviour);
      try {
        check("started", request.fence); // a stop of a higher attempt may have passed meanwhile and found nothing yet
      } catch (error) {
        replicas.get(request.replicaId)?.server.close();
        replicas.delete(request.replicaId);
        throw error;
      }
      return started;
    },
    async stop(replicaId, fence) {
      await before("stop");
      check("stop", fence);
      const found = replicas.get(replicaId);
      replicas.delete(replicaId);
      found?.server.closeAllConnections();
      await new Promise<void>((resolve) => (found ? found.server.close(() => resolve()) : resolve()));
    },
    list: async () => [...replicas.values()].map((one) => one.view),
    async *logs() {
      yield "the app's last words";
    },
  };
}

async function startReplica(
  request: StartRequest,
  replicas: StageRuntime["replicas"],
  behaviour: StageRuntime["behaviour"],
): Promise<Replica> {
  const { readFile } = await import("node:fs/promises");
  const commit = await readFile(join(request.directory, "index.html"), "utf8");
  const how = behaviour.get(commit) ?? 200;
  const server = createServer((_asked, response) => {
    if (how === "upgrade") return void response.writeHead(101, { connection: "upgrade", upgrade: "x" }).end();
    response.statusCode = how === "exit" ? 500 : how;
    response.end(commit);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const view: Replica = {
    replicaId: request.replicaId,
    environmentId: request.environmentId,
    releaseId: request.releaseId,
    deploymentId: request.fence.deploymentId,
    attempt: request.fence.attempt,
    port: (server.address() as AddressInfo).port,
    state: how === "exit" ? "exited" : "running",
    starts: 1,
    exitCode: how === "exit" ? 3 : null,
    startedAt: Date.now(),
  };
  replicas.set(request.replicaId, { view, server });
  return view;
}

function createEdge(before: Before, runtime: StageRuntime): StageEdge {
  const table = new Map<string, Route>();
  const removed = new Map<string, number>();
  return {
    table,
    async switchRoute(route) {
      const again = isDeepStrictEqual(
        { ...table.get(route.host), generation: 0 },
        { ...route, generation: 0 },
      );
      if (!again) await before("switchRoute");
      const previous = table.get(route.host) ?? null;
      if (previous && isDeepStrictEqual(previous, route)) return { applied: true, previous };
      const newest = Math.max(previous?.generation ?? -1, removed.get(route.host) ?? -1);
      if (route.generation <= newest) return { applied: false, previous };
      table.set(route.host, route);
      if (again) return { applied: true, previous };
      await before("switched");
      return { applied: true, previous };
    },
    async drain() {
      await before("drain");
      return { drained: true };
    },
    async removeRoute(host, generation) {
      if ((table.get(host)?.generation ?? -1) > generation) return;
      table.delete(host);
      removed.set(host, Math.max(generation, removed.get(host) ?? -1));
    },
    routes: async () => [...table.values()],
    async replaceRoutes(all, generation) {
      for (const [host, route] of table) if (route.generation <= generation) table.delete(host);
      for (const route of all) if (!table.has(route.host)) table.set(route.host, route);
    },
    address: async () => ({ host: "127.0.0.1", port: 1 }),
    async ask(host) {
      const port = table.get(host)?.targets[0]?.port;
      const alive = [...runtime.replicas.values()].some((one) => one.view.port === port);
      return alive ? (await fetch(`http://127.0.0.1:${port}/`)).text() : null;
    },
  };
}

function createConnections(store: Store, statuses: Stage["statuses"], before: Before): Parts["connections"] {
  const refuse = async (): Promise<never> => Promise.reject(new Error("not on this stage"));
  const gitlab = {
    setCommitStatus: async (_project: number, sha: string, status: CommitStatus) => {
      await before("setCommitStatus");
      statuses.push({ ...status, sha });
    },
  } as unknown as OpenConnection["gitlab"];
  return {
    connect: refuse,
    list: refuse,
    get: refuse,
    forget: refuse,
    suspect: (id, fault) => suspect(store, id, fault),
    reconnect: refuse,
    rotate: refuse,
    setRotation: refuse,
    listEvents: refuse,
    open: async (id) => ({
      id,
      name: "git",
      gitlab,
      token: new Secret("glpat-stage"),
      network: {},
      webUrl: "https://git.example.com",
    }),
  };
}
