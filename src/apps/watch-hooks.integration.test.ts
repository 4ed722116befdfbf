import { expect, onTestFinished, test } from "vitest";
import { request, setUpApps, type World } from "../../test/support/apps-world.ts";
import { Fault } from "../faults/fault.ts";
import type { HookLook } from "./look-at-hook.ts";
import { watchHooks, type HookIntervals } from "./watch-hooks.ts";

const HOUR: HookIntervals = { everyMs: 3_600_000, againMs: 3_600_000, gapMs: 1, tickMs: 10 };

interface Watch {
  readonly looks: { readonly id: string; readonly at: number }[];
  stop(): Promise<void>;
}

/** Runs the watch with a look that only counts, or does what a test wishes. */
function start(world: World, intervals: Partial<HookIntervals> = {}, act?: HookLook): Watch {
  const stop = new AbortController();
  const looks: { id: string; at: number }[] = [];
  const look: HookLook = async (project, signal) => {
    looks.push({ id: project.id, at: performance.now() });
    return (await act?.(project, signal)) ?? true;
  };
  const running = watchHooks(world.deps, look, stop.signal, { ...HOUR, ...intervals });
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  onTestFinished(end);
  return { looks, stop: end };
}

/** Rows alone, as many as wished: nothing in GitLab is looked at. */
async function addProjects(world: World, count: number): Promise<void> {
  await world.apps.link(request);
  await world.store.pool.query("update linked_project set hook_suspect_at = null"); // as if GitLab had called it
  await world.store.pool.query(
    `insert into linked_project (id, connection_id, project_id, path, web_url, http_url, ssh_url, hook_path,
        hook_secret, hook_signing_key, hook_state)
      select 'prj_' || n, connection_id, 1000 + n, path, web_url, http_url, ssh_url, 'path-' || n,
        hook_secret, hook_signing_key, 'active' from linked_project, generate_series(1, $1) as n`,
    [count],
  );
}

const set = (world: World, text: string): Promise<unknown> => world.store.pool.query(text);

test("at the start each is looked at once, with a pause between", async () => {
  const world = await setUpApps();
  await addProjects(world, 29);
  const { looks } = start(world, { gapMs: 20 });
  await expect.poll(() => looks.length).toBe(30);
  expect(new Set(looks.map(({ id }) => id)).size).toBe(30);
  const gaps = looks.slice(1).map(({ at }, index) => at - (looks[index]?.at ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThan(18);
});

test("one that is linked later was just made: it waits for its turn", async () => {
  const world = await setUpApps();
  await addProjects(world, 1);
  const { looks } = start(world);
  await expect.poll(() => looks.length).toBe(2);
  await world.apps.link({ ...request, name: "two" });
  await set(world, "update linked_project set id = 'prj_late' where id = 'prj_1'");
  await set(world, "update linked_project set bad_secret_count = 1 where id <> 'prj_late'");
  await set(world, "update linked_project set hook_suspect_at = now() where id = 'prj_late'");
  await expect.poll(() => looks.map(({ id }) => id)).toContain("prj_late"); // not its turn, but suspected
  expect(looks).toHaveLength(3); // the other was looked at within the hour
});

test.each([
  ["hook_suspect_at", "hook_suspect_at = now()"],
  ["bad secrets", "bad_secret_count = 3"],
])("suspected by %s: before its turn, but not again and again", async (_, change) => {
  const world = await setUpApps();
  await addProjects(world, 0);
  const { looks } = start(world, { againMs: 300 });
  await expect.poll(() => looks.length).toBe(1);
  await set(world, `update linked_project set ${change}`);
  await expect.poll(() => looks.length).toBe(3);
  const [, second, third] = looks;
  expect((third?.at ?? 0) - (second?.at ?? 0)).toBeGreaterThan(295);
});

test("bad secrets of one that is polled are no reason: it is not called", async () => {
  const world = await setUpApps();
  await addProjects(world, 1);
  await set(
    world,
    "update linked_project set hook_state = 'polling', bad_secret_count = 3 where id = 'prj_1'",
  );
  await set(world, "update linked_project set hook_suspect_at = now() where id <> 'prj_1'");
  const { looks } = start(world, { againMs: 50 });
  await expect.poll(() => looks.length).toBeGreaterThan(4);
  expect(looks.filter(({ id }) => id === "prj_1")).toHaveLength(1);
});

test("hourly: each again after the interval, whatever became of the first", async () => {
  const world = await setUpApps();
  await addProjects(world, 3);
  const { looks } = start(world, { everyMs: 100 });
  await expect.poll(() => looks.length).toBeGreaterThan(12);
  const counts = Map.groupBy(looks, ({ id }) => id);
  expect(counts.size).toBe(4);
  expect(Math.min(...[...counts.values()].map((of) => of.length))).toBeGreaterThan(1);
});

test("a paused connection is left alone, and looked at when it is sound again", async () => {
  const world = await setUpApps();
  await addProjects(world, 1);
  await set(world, "update connection set paused_at = now()");
  const { looks } = start(world);
  await set(world, "select pg_sleep(0.2)");
  expect(looks).toEqual([]);
  await set(world, "update connection set paused_at = null");
  await expect.poll(() => looks.length).toBe(2);
});

test("a dead token: the connection pauses at the first answer, the others are not asked", async () => {
  const world = await setUpApps();
  await addProjects(world, 40);
  const { looks } = start(world, { againMs: 1 }, async () => {
    throw Fault.of("AUTH_FAILED", "revoked");
  });
  const paused = async (): Promise<boolean> => (await world.deps.connections.get("work")).pausedAt !== null;
  await expect.poll(paused).toBe(true);
  await set(world, "select pg_sleep(0.2)");
  expect(looks).toHaveLength(1);
});

test("one that fails is tried again soon, one that is busy at the next look, and the others have their turn", async () => {
  const world = await setUpApps();
  await addProjects(world, 2);
  const seen = new Map<string, number>();
  const { looks } = start(world, { againMs: 30 }, async ({ id }) => {
    const time = (seen.get(id) ?? 0) + 1;
    seen.set(id, time);
    if (id === "prj_1" && time === 1) throw Fault.of("GITLAB_UNAVAILABLE", "bad_gateway");
    return id !== "prj_2" || time > 1;
  });
  await expect.poll(() => looks.length).toBe(5);
  expect(seen.get("prj_1")).toBe(2);
  expect(seen.get("prj_2")).toBe(2);
});

test("the real look, from the loop: what was deleted is there again", async () => {
  const world = await setUpApps();
  await world.apps.link(request);
  world.gitlab.hooks.clear();
  const stop = new AbortController();
  const running = world.apps.watchHooks(stop.signal);
  await expect.poll(() => world.gitlab.hooks.size).toBe(1);
  stop.abort();
  await running;
  expect((await world.apps.listEvents("shop", 1))[0]).toMatchObject({ kind: "hook_healed" });
});
