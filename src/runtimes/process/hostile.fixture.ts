import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deadline } from "../../kernel/clock.ts";
import { newId } from "../../kernel/ids.ts";
import { launch } from "../../kernel/run.ts";
import { waitUntil } from "../../kernel/retry.ts";
import { createProcessRuntime } from "./process-runtime.ts";
import { HOSTILE } from "./hostile-program.fixture.ts";
import { findProcess, isAlive } from "./processes.ts";

/**
 * Plays Fairlead with things to steal, runs a hostile build and a hostile replica, and says on standard output what they reached: for
 * the test, which runs this as different users. Words: a data directory that exists, the way, PATH.
 */
const [dataDir = "", method = "", path = ""] = process.argv.slice(2);

const SECRET = "stolen-key-4711";
const ENVIRONMENT = "stolen-environment-4711";

await writeFile(join(dataDir, "secret.key"), SECRET, { mode: 0o600 });
await mkdir(join(dataDir, "pg", "sockets"), { recursive: true, mode: 0o755 });
const sockets = [join(dataDir, "pg", "sockets", ".s.PGSQL.5432"), join(dataDir, "edge.sock")];
for (const socket of sockets) await new Promise<void>((done) => createServer().listen(socket, done));
const other = join(dataDir, "work", "workspaces", "other");
await mkdir(other, { recursive: true });
await writeFile(join(other, ".env"), SECRET);

const victim = launch("/bin/sleep", ["300"], { env: { TOKEN: ENVIRONMENT }, output: "ignore" });
const victimRef = findProcess(victim.pid ?? 0);
const runtime = await createProcessRuntime({
  dataDir,
  nodePath: process.execPath,
  entry: fileURLToPath(new URL("entry.fixture.ts", import.meta.url)),
  baseEnv: { PATH: path },
  allowUnisolated: method === "none",
  portRange: { first: 18_000, last: 19_999 },
  methods: method === "bwrap" || method === "unshare" || method === "uid" ? [method] : [],
});

const targets = {
  secret: SECRET,
  environment: ENVIRONMENT,
  files: [join(dataDir, "secret.key"), join(other, ".env")],
  sockets,
  pids: [process.pid, victim.pid],
  outside: [join(dataDir, "planted"), join(other, "planted"), join(dataDir, "runtime", "planted")],
};
const env = {};
const fence = { deploymentId: newId("dep"), attempt: 1 };
const workspace = join(dataDir, "work", "workspaces", "own");
const cache = join(dataDir, "work", "caches", "own");
const release = join(dataDir, "work", "releases", "own");
for (const folder of [workspace, cache, release]) await mkdir(folder, { recursive: true });
for (const folder of [workspace, release]) {
  await writeFile(join(folder, "hostile.mjs"), HOSTILE);
  await writeFile(join(folder, "targets.json"), JSON.stringify(targets));
}

const build: string[] = [];
await runtime.build({
  fence,
  environmentId: "own",
  workspace,
  directory: workspace,
  cache,
  commands: [{ name: "hostile", argv: ["node", "hostile.mjs"] }],
  env,
  timeoutMs: 60_000,
  signal: new AbortController().signal,
  onLine: (line) => build.push(line),
});
const replicaId = newId("rpl");
await runtime.start({
  fence,
  replicaId,
  environmentId: "own",
  releaseId: "own",
  directory: release,
  command: { kind: "exec", argv: ["node", "hostile.mjs"] },
  env,
  limits: { memoryMb: 256, processes: 64 },
});
const replica = await waitUntil(
  async () => {
    const lines: string[] = [];
    const options = { tailLines: 100, follow: false, signal: deadline(5_000) };
    for await (const line of runtime.logs(replicaId, options)) lines.push(line);
    return lines.some((line) => line === "DONE") ? lines : null;
  },
  { everyMs: 50, signal: deadline(60_000) },
);
await runtime.stop(replicaId, null, 0);
const planted = targets.outside.filter((file) => existsSync(file));
await Promise.all(planted.map(async (file) => rm(file)));
const alive = victimRef !== null && isAlive(victimRef);
victim.kill("SIGKILL");
const isolation = await runtime.isolation();
process.stdout.write(JSON.stringify({ isolation, build, replica, planted, alive }), () => process.exit(0));
