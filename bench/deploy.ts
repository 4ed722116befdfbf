import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createFixture, git, GIT_ENV, type Fixture, type Kind } from "./fixture.ts";
import { get } from "../src/demo/load.ts";
import { findFreePort } from "../src/demo/stage.ts";
import { api } from "../src/http/contract.ts";
import { sleep } from "../src/kernel/clock.ts";
import { waitUntil } from "../src/kernel/retry.ts";
import { launch, run } from "../src/kernel/run.ts";
import type { Project } from "../src/sandbox/state.ts";
import { compare, milliseconds, type Bench, type Result } from "./result.ts";
import type { Pair } from "./statistics.ts";
import { openWorld, settle, type World } from "./world.ts";

const FIRST_ROUNDS = 5;
const WARM_ROUNDS = 7;
const MAIN = join(import.meta.dirname, "../src/main.ts");

/**
 * From the return of `git push` to the first request through the proxy that the new version answers: Fairlead, told by the webhook, against
 * `by-hand.sh`, run at once. Both are given the same pushes in turn, and neither works while the other is measured.
 */
export const deployBench: Bench = {
  name: "deploy",
  async run(tell, undo) {
    const world = await openWorld(undo);
    tell("making the fixture");
    const fixture = await createFixture(world.folder);
    const results: Result[] = [];
    for (const kind of ["static", "node"] as const)
      results.push(...(await benchKind(world, fixture, kind, { tell, undo })));
    return results;
  },
};

async function benchKind(
  world: World,
  fixture: Fixture,
  kind: Kind,
  { tell, undo }: { tell: (line: string) => void; undo: AsyncDisposableStack },
): Promise<Result[]> {
  const firsts: Pair[] = [];
  const warms: Pair[] = [];
  for (let round = 1; round <= FIRST_ROUNDS; round++) {
    await using ways = undo.use(new AsyncDisposableStack());
    const ours = ways.use(await openOurs(world, fixture, `${kind}-${round}`));
    const other = ways.use(await openByHand(world, fixture, kind, `by-hand-${kind}-${round}`));
    firsts.push(await measurePair(fixture, kind, { ours, other }, round));
    tell(`${kind}, first deployment ${round}: ${shown(firsts)}`);
    if (round < FIRST_ROUNDS) continue;
    await measurePair(fixture, kind, { ours, other }, 0); // the first push to a whole mirror
    for (let warm = 1; warm <= WARM_ROUNDS; warm++) {
      warms.push(await measurePair(fixture, kind, { ours, other }, warm));
      tell(`${kind}, warm ${warm}: ${shown(warms)}`);
    }
  }
  const words = { other: "by hand", show: milliseconds };
  const named = kind === "static" ? "static folder" : "Node app";
  return [
    compare(`push to live, ${named}, first`, firsts, { most: 1.3 }, words),
    compare(`push to live, ${named}, warm`, warms, { most: kind === "static" ? 0.7 : 0.9 }, words),
  ];
}

function shown(pairs: readonly Pair[]): string {
  const last = pairs.at(-1) ?? { ours: NaN, other: NaN };
  return `${milliseconds(last.ours)} against ${milliseconds(last.other)} by hand`;
}

/** One way from a push to a new version. */
interface Way extends AsyncDisposable {
  readonly project: Project;
  readonly edge: { readonly host: string; readonly port: number };
  readonly host: string;
  /** Called as soon as the push has returned. Resolves when everything it set off is done. */
  deploy(): Promise<void>;
}

/** The order changes from round to round: whoever comes second finds more in the machine's caches. */
async function measurePair(
  fixture: Fixture,
  kind: Kind,
  ways: { ours: Way; other: Way },
  round: number,
): Promise<Pair> {
  const pair = { ours: NaN, other: NaN };
  for (const name of round % 2 === 0 ? (["ours", "other"] as const) : (["other", "ours"] as const)) {
    pair[name] = await measure(fixture, kind, ways[name]);
  }
  return pair;
}

let stamps = 0;

async function measure(fixture: Fixture, kind: Kind, way: Way): Promise<number> {
  const stamp = `version ${++stamps}\n`;
  await fixture.commit(kind, stamp);
  await git(
    fixture.repository,
    "push",
    "--quiet",
    "--force",
    remoteOf(way.project),
    `refs/heads/${kind}:refs/heads/main`,
  );
  const begun = performance.now();
  const done = way.deploy();
  const answered = waitUntil(async () => (await get(way.edge, way.host, false).catch(() => "")) === stamp, {
    everyMs: 5,
    signal: AbortSignal.timeout(300_000),
  }).then(() => performance.now() - begun);
  const [elapsed] = await Promise.all([answered, done]);
  await sleep(500); // what was written is on its way to the disk
  return elapsed;
}

const addresses = new WeakMap<Project, string>();

function remoteOf(project: Project): string {
  return addresses.get(project) ?? "";
}

/** An empty project whose repository need not be sent the 10,000 commits: like a fork, it shares the objects of another. */
async function openProject(world: World, fixture: Fixture, name: string): Promise<Project> {
  const { sandbox, user, token, folder } = world;
  const project = await sandbox.state.createProject({
    path: `acme/${name}`,
    owner: user,
    protectDefaultBranch: false,
  });
  const url = new URL(`${sandbox.url}/${project.fullPath}.git`);
  url.username = "oauth2";
  url.password = token.value;
  addresses.set(project, url.href);
  await git(folder, "ls-remote", url.href); // makes the repository
  await fixture.lend(join(folder, "gitlab", "repositories", `${project.id}.git`));
  return project;
}

async function openOurs(world: World, fixture: Fixture, name: string): Promise<Way> {
  const { fairlead } = world;
  const project = await openProject(world, fixture, name);
  const app = await world.link(project);
  const host = `${app.name}.localhost`;
  return {
    project,
    host,
    edge: fairlead.edge,
    async deploy() {
      await waitUntil(
        async () => {
          const { deployments } = await fairlead.client.call(api.listDeployments, {
            params: { app: app.name },
          });
          const failed = deployments.find((one) => one.state === "failed");
          if (failed) throw new Error(`deployment failed: ${failed.fault?.message}`);
          return deployments.length > 0;
        },
        { everyMs: 250, signal: AbortSignal.timeout(120_000) },
      );
      await settle(fairlead, app.name);
    },
    [Symbol.asyncDispose]: async () =>
      void (await fairlead.client.call(api.unlink, { params: { app: app.name } })),
  };
}

async function openByHand(world: World, fixture: Fixture, kind: Kind, name: string): Promise<Way> {
  await using undo = new AsyncDisposableStack();
  const project = await openProject(world, fixture, name);
  const base = join(world.folder, name);
  await mkdir(base);
  const edge = { host: "127.0.0.1", port: await findFreePort() };
  const ports = [await findFreePort(), await findFreePort()].map(String);
  const env = { ...GIT_ENV, HOME: base, NODE_COMPILE_CACHE: join(base, "compile-cache") };
  await run(process.execPath, [MAIN, "__static", "--prime"], { env, timeoutMs: 30_000 });
  const words = [join(import.meta.dirname, "by-hand-proxy.ts"), String(edge.port), join(base, "current")];
  const proxy = launch(process.execPath, words, { env: GIT_ENV, output: "ignore" });
  undo.defer(async () => {
    proxy.kill("SIGKILL");
    await proxy.ended;
  });
  const script = join(import.meta.dirname, "by-hand.sh");
  const stop = `kill $(cat pid-* 2>/dev/null) 2>/dev/null; rm -rf releases; exit 0`;
  undo.defer(
    async () => void (await run("sh", ["-c", stop], { cwd: base, env: GIT_ENV, timeoutMs: 60_000 })),
  );
  const kept = undo.move();
  return {
    project,
    host: "by-hand.localhost",
    edge,
    deploy: async () => {
      const parameters = [script, kind, remoteOf(project), base, ...ports, process.execPath, MAIN];
      await run("sh", parameters, { cwd: base, env, timeoutMs: 300_000 });
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
