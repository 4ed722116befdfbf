import { randomBytes } from "node:crypto";
import { appendFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { api } from "../../src/http/contract.ts";
import { run } from "../../src/kernel/run.ts";
import { APP, ballast, openStage, type E2eStage } from "../support/e2e-stage.ts";
import { findInFiles, findInText, huntLeaks, type HuntReport, type Leak } from "../support/leak-hunter.ts";
import { dumpDatabase, listSecrets, readAllAnswers, type RealSecret } from "../support/secret-world.ts";

/** Harmless values put into each place that is searched, so that the search is known to find what is there. */
const PLANTED = Object.fromEntries(
  ["argv", "environ", "file", "row", "bytes", "output", "answer", "buildLog", "runLog", "appEnvironment"].map(
    (place) => [place, `PLANTED_${randomBytes(12).toString("hex")}`],
  ),
) as Record<
  | "argv"
  | "environ"
  | "file"
  | "row"
  | "bytes"
  | "output"
  | "answer"
  | "buildLog"
  | "runLog"
  | "appEnvironment",
  string
>;

/** What one search of everything found, and the texts it read. */
interface Search {
  readonly processes: HuntReport;
  readonly files: readonly Leak[];
  readonly texts: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

let stage: E2eStage;
let real: readonly RealSecret[];
let search: Search;

beforeAll(async () => {
  stage = await openStage({ env: { FAIRLEAD_LOG_LEVEL: "debug", [`FAIRLEAD_${PLANTED.output}`]: "x" } });
  const app = await stage.link();
  real = [
    { name: "GitLab token", value: stage.gitlabToken.reveal() },
    ...(await listSecrets(stage.fairlead)),
  ];
  const secrets = [...real.map((secret) => secret.value), ...Object.values(PLANTED)];
  const hunt = await huntLeaks({ secrets, everyMs: 5 });
  await plantInProcesses();
  stage.sandbox.faults.git.bytesPerSecond = 150_000;
  const deployment = await stage.pushLive("v1", { ...ballast(300), ...nosyApp(stage.fairlead.dataDir) });
  stage.sandbox.faults.git.bytesPerSecond = null;
  const processes = await hunt.stop();
  await plantAtRest(app.id);
  search = {
    processes,
    secrets,
    files: await findInFiles([stage.fairlead.dataDir], secrets),
    texts: await readTexts(deployment.id),
  };
}, 240_000);

beforeEach(({ skip }) => {
  skip(stage.fairlead.output().includes('"method":"none"'), "builds cannot be isolated on this machine");
});

afterAll(() => stage?.[Symbol.asyncDispose]());

async function plantInProcesses(): Promise<void> {
  const script = "setTimeout(() => {}, 200)";
  await run(process.execPath, ["-e", script, PLANTED.argv], {
    env: { X: PLANTED.environ },
    timeoutMs: 30_000,
  });
}

async function plantAtRest(appId: string): Promise<void> {
  const mirrors = join(stage.fairlead.dataDir, "source/mirrors");
  const [mirror = ""] = await readdir(mirrors);
  await appendFile(join(mirrors, mirror, "config"), `# ${PLANTED.file}\n`);
  const database = await stage.database();
  await database.query("insert into setting (key, value) values ('planted', to_jsonb($1::text))", [
    PLANTED.row,
  ]);
  await database.query("create table planted (content bytea)");
  await database.query("insert into planted values ($1)", [Buffer.from(`..${PLANTED.bytes}..`)]);
  await database.query("insert into event (app_id, kind, text) values ($1, 'linked', $2)", [
    appId,
    PLANTED.answer,
  ]);
  await database.end();
}

async function readTexts(deploymentId: string): Promise<Record<string, string>> {
  const { fairlead } = stage;
  const { deliveries } = await fairlead.client.call(api.listDeliveries, { params: { app: APP } });
  const database = await stage.database();
  const dump = await dumpDatabase(database);
  await database.end();
  return {
    "the database": dump,
    "the server's output": fairlead.output(),
    "the app's environment": await stage.ask("/env"),
    ...(await readAllAnswers(fairlead, {
      connection: ["box"],
      app: [APP],
      deployment: [deploymentId],
      delivery: deliveries.map((delivery) => delivery.id),
    })),
  };
}

/** Tells what it is given, and tries to read what it is not: in its build, which takes 2 s, and when it runs. */
function nosyApp(dataDir: string): Record<string, string> {
  const spy = `import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
const dataDir = ${JSON.stringify(dataDir)};
const tell = (what, read) => {
  try {
    return what + " READ: " + read();
  } catch (error) {
    return what + " refused: " + error.code;
  }
};
export function spy() {
  const files = ["secret.key", "api-token", "pg18/postmaster.pid", "pg18/PG_VERSION", "edge/routes.json", "source/mirrors"];
  return [
    "environment " + JSON.stringify(process.env),
    ...files.map((name) => tell(name, () => name.includes("mirrors") ? readdirSync(join(dataDir, name)) : readFileSync(join(dataDir, name), "utf8"))),
    ...readdirSync("/proc").filter((pid) => /^[0-9]+$/.test(pid)).map((pid) => {
      try {
        return "process " + readFileSync("/proc/" + pid + "/cmdline", "utf8") + readFileSync("/proc/" + pid + "/environ", "utf8");
      } catch {
        return "process of somebody else";
      }
    }),
  ];
}
`;
  return {
    "spy.mjs": spy,
    "planted.json": JSON.stringify(PLANTED),
    "build.mjs": `import { readFileSync, writeFileSync } from "node:fs";
import { spy } from "./spy.mjs";
for (const line of spy()) console.log(line);
console.log(JSON.parse(readFileSync("planted.json", "utf8")).buildLog);
await new Promise((resolve) => setTimeout(resolve, 2000));
writeFileSync("page.txt", "v1");
`,
    "server.mjs": `import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { spy } from "./spy.mjs";
const planted = JSON.parse(readFileSync("planted.json", "utf8"));
process.env.PLANTED = planted.appEnvironment;
console.log(planted.runLog);
createServer((request, response) => response.end(request.url === "/env" ? spy().join("\\n") : "v1")).listen(process.env.PORT, "127.0.0.1");
`,
  };
}

/** Leaks of some of the secrets, in words that name the place and never the secret. */
function leaksOf(wanted: readonly number[]): string[] {
  const inProcesses = search.processes.leaks.map((leak) => ({
    leak,
    place: `${leak.where} of ${leak.program}`,
  }));
  const inFiles = search.files.map((leak) => ({
    leak,
    place: `file ${leak.path?.slice(stage.fairlead.dataDir.length + 1)}`,
  }));
  const inTexts = Object.entries(search.texts).flatMap(([place, text]) =>
    findInText(text, search.secrets).map((leak) => ({ leak, place: place.replace(/(dep|dlv)_\w+/, ":id") })),
  );
  const all = [...inProcesses, ...inFiles, ...inTexts].filter(({ leak }) => wanted.includes(leak.secret));
  return [...new Set(all.map(({ leak, place }) => `${nameOf(leak.secret)} in ${place}`))];
}

const nameOf = (index: number): string =>
  real[index]?.name ?? Object.keys(PLANTED)[index - real.length] ?? "?";

test("no secret is found in any process, file, row, log, answer or environment", () => {
  const allowed = real.flatMap((secret) => (secret.home ? [`${secret.name} in file ${secret.home}`] : []));
  expect(leaksOf(real.map((_, index) => index)).filter((leak) => !allowed.includes(leak))).toEqual([]);
});

test("the search looked everywhere: at many processes, every few milliseconds, and a leak planted in each place is found", () => {
  expect(search.processes.processes).toBeGreaterThan(10);
  expect(search.processes.medianGapMs).toBeLessThan(25);
  expect(search.texts["/metrics"]).toContain("fairlead_http_request_seconds");
  const planted = leaksOf(Object.keys(PLANTED).map((_, index) => real.length + index));
  expect(planted).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^argv in argv of /),
      expect.stringMatching(/^environ in environ of /),
      expect.stringMatching(/^output in environ of /),
      expect.stringMatching(/^file in file source\/mirrors\/.*config$/),
      "row in the database",
      "bytes in the database",
      "output in the server's output",
      `answer in /api/v1/apps/${APP}/events`,
      "buildLog in /api/v1/deployments/:id/logs",
      `runLog in /api/v1/apps/${APP}/logs`,
      "appEnvironment in the app's environment",
    ]),
  );
});

test("a build and an app see none of Fairlead's files and processes, and are told so", () => {
  const log = Object.keys(search.texts).find((path) => /\/deployments\/.*\/logs$/.test(path)) ?? "";
  for (const text of [search.texts["the app's environment"], search.texts[log]]) {
    expect(text).toContain("secret.key refused: ");
    expect(text).toContain("environment ");
    expect(text).not.toMatch(/ READ: /);
    expect(text).not.toMatch(/main\.ts|postgres|__edge|__launcher/);
  }
});

test("the sealed secrets were really opened and are what GitLab has", () => {
  const [hook] = [...stage.sandbox.rows.hooks.values()];
  const values = real.map((secret) => secret.value);
  expect(values).toContain(hook?.signingToken);
  expect(real.map((secret) => secret.name)).toEqual(
    expect.arrayContaining([
      "GitLab token",
      "API token",
      "encryption key",
      "connection.token",
      "linked_project.hook_secret",
      "linked_project.hook_signing_key",
      "app.deploy_key_private",
    ]),
  );
  expect(values.filter((value) => value === stage.gitlabToken.reveal())).toHaveLength(2);
});
