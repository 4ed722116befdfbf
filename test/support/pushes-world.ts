import { createHmac, randomUUID } from "node:crypto";
import { createEnqueue, type Enqueue } from "../../src/deployments/enqueue.ts";
import type { HookSettings } from "../../src/gitlab/gitlab.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { createPushes, type PushesDeps } from "../../src/pushes/open.ts";
import type { IncomingDelivery } from "../../src/pushes/pushes.ts";
import type { Store } from "../../src/store/store.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { request, setUpApps, type World } from "./apps-world.ts";

export const ZEROS = "0".repeat(40);
/** A commit id that is easy to read in a failed assertion: `sha("a")`. */
export const sha = (letter: string): string => letter.repeat(40);

/** What is queued is written for real; only the job that would wake a worker is not sent. */
export function enqueueOnly(store: Store): Enqueue {
  return createEnqueue({
    queue: { send: async () => {}, fetch: async () => [], [Symbol.asyncDispose]: async () => {} },
    notify: (tx, id) => store.notify("deployment", id, tx),
    appUrl: (host) => `http://${host}`,
  });
}

export interface PushesWorld extends World {
  readonly pushes: ReturnType<typeof createPushes>;
  readonly pushesDeps: PushesDeps;
  /** Lets the processor work until nothing is waiting, then stops it. */
  settle(): Promise<void>;
}

/** A linked project `acme/shop` with app `shop` on `main`, whose head `aaaa…` is known to it. */
export async function setUpPushes(overrides: Partial<PushesDeps> = {}): Promise<PushesWorld> {
  const world = await setUpApps();
  const enqueue = enqueueOnly(world.store);
  const pushesDeps: PushesDeps = {
    store: world.store,
    vault: world.deps.vault,
    connections: world.deps.connections,
    enqueue,
    log: silentLogger,
    clock: systemClock,
    polling: { withoutHookMs: 3_600_000, withHookMs: 3_600_000, tickMs: 50 },
    ...overrides,
  };
  await world.apps.link(request);
  await world.store.db
    .updateTable("environment")
    .set({ wanted_commit: sha("a") })
    .execute();
  const pushes = createPushes(pushesDeps);
  const settle = async (): Promise<void> => {
    const stop = new AbortController();
    const running = pushes.run(stop.signal);
    try {
      await untilIdle(world.store);
    } finally {
      stop.abort();
      await running;
    }
  };
  return { ...world, pushes, pushesDeps, settle };
}

export async function untilIdle(store: Store, timeoutMs = 20_000): Promise<void> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const { rows } = await store.pool.query("select id, trace from delivery where state = 'received'");
    if (rows.length === 0) return;
    if (performance.now() > until) throw new Error(`still waiting: ${JSON.stringify(rows)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export interface PushOptions {
  readonly branch?: string;
  readonly before?: string;
  readonly after?: string;
  readonly projectId?: number;
  /** Also GitLab's Idempotency-Key. */
  readonly id?: string;
  readonly extra?: object;
}

export function pushBody({
  branch = "main",
  before = sha("a"),
  after = sha("b"),
  projectId = 42,
  extra = {},
}: PushOptions = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      object_kind: "push",
      event_name: "push",
      before,
      after,
      ref: `refs/heads/${branch}`,
      checkout_sha: after === ZEROS ? null : after,
      user_name: "Ada",
      project_id: projectId,
      project: { id: projectId, path_with_namespace: "acme/shop" },
      commits: [{ id: after, title: "Change", message: "Change" }],
      total_commits_count: 1,
      ...extra,
    }),
  );
}

/** A call as GitLab 19 makes it for the first hook there is: with secret and signature. */
export function fromGitLab(world: World, body: Buffer, id: string = randomUUID()): IncomingDelivery {
  const [hook] = world.gitlab.hooks.values();
  if (!hook) throw new Error("no hook was made");
  return call(hook.settings, body, id);
}

export function call(settings: HookSettings, body: Buffer, id: string = randomUUID()): IncomingDelivery {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const key = Buffer.from(settings.signingToken.reveal().slice("whsec_".length), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
  return {
    hookPath: settings.url.slice(settings.url.lastIndexOf("/") + 1),
    headers: {
      "content-type": "application/json",
      "user-agent": "GitLab/19.0.0",
      "x-gitlab-event": "Push Hook",
      "x-gitlab-token": settings.token.reveal(),
      "idempotency-key": id,
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": `v1,${signature}`,
    },
    body,
  };
}

/** Sends a push that must be accepted. Returns its delivery. */
export async function send(world: PushesWorld, options: PushOptions = {}): Promise<string> {
  const answer = await world.pushes.accept(fromGitLab(world, pushBody(options), options.id));
  if (answer.kind !== "accepted") throw new Error(JSON.stringify(answer));
  return answer.deliveryId;
}

/** Commits of all deployments in the order they were queued. */
export async function deployed(store: Store): Promise<string[]> {
  const rows = await store.db.selectFrom("deployment").select("commit_sha").orderBy("number").execute();
  return rows.map((row) => row.commit_sha);
}
