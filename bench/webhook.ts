import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Pool } from "pg";
import { findFreePort } from "../src/demo/stage.ts";
import { waitUntil } from "../src/kernel/retry.ts";
import { launch } from "../src/kernel/run.ts";
import { startEmbedded } from "../src/store/embedded/supervise.ts";
import { measureRate } from "./load.ts";
import { compare, perSecond, type Bench } from "./result.ts";
import type { Pair } from "./statistics.ts";
import { openFolder, openWorld } from "./world.ts";

const ROUNDS = 7;
const SECONDS = 4;
const CONNECTIONS = "64";

/**
 * Push events a second that are answered with 202 after they were committed, against a Fastify route with one `insert` of the same row into a
 * table alike, on the same PostgreSQL. What Fairlead then does with them is worked off before the other side is measured.
 */
export const webhookBench: Bench = {
  name: "webhook",
  async run(tell, undo) {
    const folder = await openFolder(undo);
    const { connectionString } = undo.use(await startEmbedded({ dataFolder: join(folder, "data") }));
    const world = await openWorld(undo, { DATABASE_URL: connectionString });
    const pool = new Pool({ connectionString, max: 1 });
    undo.defer(() => pool.end());
    const project = await world.sandbox.state.createProject({
      path: "acme/hello",
      owner: world.user,
      files: { "README.md": "hello\n" },
    });
    await world.link(project);
    const hook = [...world.sandbox.rows.hooks.values()][0];
    if (!hook) throw new Error("the hook is missing in GitLab");
    const bare = await startBare(undo, connectionString, pool);
    const words = await callWords(folder, { hook: hook.token ?? "", projectId: project.id });
    const accept = async (seconds: number): Promise<number> => {
      const rate = await measureRate(hook.url, seconds, words);
      await waitUntil(
        async () =>
          (await pool.query("select from delivery where state = 'received' limit 1")).rowCount === 0,
        {
          everyMs: 250,
          signal: AbortSignal.timeout(600_000),
        },
      );
      return rate;
    };
    await accept(2);
    await measureRate(bare, 2, words);
    const pairs: Pair[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      const pair = { ours: await accept(SECONDS), other: await measureRate(bare, SECONDS, words) };
      pairs.push(pair);
      tell(
        `round ${round}: ${perSecond(pair.ours)} accepted, ${perSecond(pair.other)} inserted by the bare route`,
      );
    }
    return [
      compare("webhooks accepted", pairs, { least: 0.8 }, { other: "by a bare route", show: perSecond }),
    ];
  },
};

/** Each call is a push of its own: the body holds an id that autocannon makes anew. */
async function callWords(folder: string, call: { hook: string; projectId: number }): Promise<string[]> {
  const body = join(folder, "push.json");
  await writeFile(body, JSON.stringify(pushBody(call.projectId)));
  const headers = {
    "content-type": "application/json",
    "user-agent": "GitLab/18.9.0",
    "x-gitlab-event": "Push Hook",
    "x-gitlab-event-uuid": "3a427f2f-6ba1-4b2a-9f84-3a3b8c9a3b1f",
    "x-gitlab-instance": "http://gitlab.example.com",
    "x-gitlab-token": call.hook,
  };
  const shown = Object.entries(headers).flatMap(([name, value]) => ["--headers", `${name}=${value}`]);
  return ["--connections", CONNECTIONS, "--method", "POST", "--idReplacement", "--input", body, ...shown];
}

async function startBare(undo: AsyncDisposableStack, connectionString: string, pool: Pool): Promise<string> {
  await pool.query("create table bare_delivery (like delivery including all)");
  const port = await findFreePort();
  const words = [join(import.meta.dirname, "bare-receiver.ts"), String(port), connectionString];
  const program = launch(process.execPath, words, {
    env: { PATH: process.env["PATH"] ?? "" },
    output: "ignore",
  });
  undo.defer(async () => {
    program.kill("SIGTERM");
    await program.ended;
  });
  const url = `http://127.0.0.1:${port}/hook`;
  await waitUntil(
    () =>
      fetch(url).then(
        () => true,
        () => false,
      ),
    { everyMs: 50, signal: AbortSignal.timeout(30_000) },
  );
  return url;
}

/** As GitLab sends it: about 3 KB. */
function pushBody(projectId: number): unknown {
  const before = "95790bf891e76fee5e1747ab589903a6a1f80f22";
  const after = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7";
  const web = "http://gitlab.example.com/acme/hello";
  const ssh = "git@gitlab.example.com:acme/hello.git";
  const repository = {
    name: "hello",
    url: ssh,
    description: "",
    homepage: web,
    git_http_url: `${web}.git`,
    git_ssh_url: ssh,
    visibility_level: 0,
  };
  return {
    object_kind: "push",
    event_name: "push",
    before,
    after,
    ref: "refs/heads/topic",
    ref_protected: false,
    checkout_sha: after,
    message: "[<id>]",
    user_id: 2,
    user_name: "Ada",
    user_username: "ada",
    user_email: "",
    user_avatar: null,
    project_id: projectId,
    project: {
      ...repository,
      id: projectId,
      namespace: "acme",
      path_with_namespace: "acme/hello",
      default_branch: "main",
      ssh_url: ssh,
      http_url: `${web}.git`,
    },
    commits: Array.from({ length: 4 }, (_, i) => ({
      id: `${i}5feabde2d8cd023215af4d2ceeb7a64839fc428`,
      message:
        "Add simple search to projects in public area\n\nA search field, an index and a page of results.",
      title: "Add simple search to projects in public area",
      timestamp: "2024-05-13T18:18:08+00:00",
      url: `${web}/-/commit/c5feabde2d8cd023215af4d2ceeb7a64839fc428`,
      author: { name: "Ada", email: "ada@example.com" },
      added: ["app/search/page.ts"],
      modified: ["app/layout.ts", "app/search/index.ts", "README.md"],
      removed: [],
    })),
    total_commits_count: 4,
    push_options: {},
    repository,
  };
}
