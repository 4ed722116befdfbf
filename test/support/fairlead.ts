import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createDemoClient, type DemoClient } from "../../src/demo/client.ts";
import { findFreePort } from "../../src/demo/stage.ts";
import { api, type DeploymentAnswer } from "../../src/http/contract.ts";
import { waitUntil } from "../../src/kernel/retry.ts";
import { launch, type Program } from "../../src/kernel/run.ts";
import { Secret } from "../../src/kernel/secret.ts";
import { findProcesses, killProcesses } from "./leftovers.ts";

const BIN = join(import.meta.dirname, "../../bin/fairlead.mjs");

export interface CliResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A Fairlead as people run it: processes of its own, started through `bin/fairlead.mjs`. */
export interface Fairlead extends AsyncDisposable {
  readonly dataDir: string;
  readonly apiUrl: string;
  readonly apiToken: string;
  readonly client: DemoClient;
  readonly edge: { readonly host: string; readonly port: number };
  /** The server's process; another one after `restart`. */
  pid(): number;
  /** Everything the server printed so far. */
  output(): string;
  /** Kills the server with `kill -9`, its children not. */
  kill(): Promise<void>;
  /** Sends a signal to the server and waits until it has ended; its exit code. */
  end(signal: "SIGINT" | "SIGTERM"): Promise<number | null>;
  /** Starts the server again after `kill` or `end`. */
  start(): Promise<void>;
  /** Runs a command of the command line as a person on the same machine would. */
  cli(words: readonly string[], input?: string): Promise<CliResult>;
  waitForEnd(deploymentId: string, seconds?: number): Promise<DeploymentAnswer>;
  /** The newest deployment of an app for this commit, as soon as there is one. */
  findDeployment(app: string, commit: string): Promise<DeploymentAnswer>;
}

export async function startFairlead(
  options: { env?: Record<string, string>; polling?: boolean } = {},
): Promise<Fairlead> {
  const dataDir = await mkdtemp(join(tmpdir(), "fairlead-e2e-"));
  const port = await findFreePort();
  const edge = { host: "127.0.0.1", port: await findFreePort() };
  const apiUrl = `http://127.0.0.1:${port}`;
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: dataDir,
    FAIRLEAD_DATA_DIR: dataDir,
    FAIRLEAD_PORT: String(port),
    FAIRLEAD_EDGE_PORT: String(edge.port),
    FAIRLEAD_ALLOW_UNISOLATED: "1", // tests build only what they bring along, also where nothing can be isolated
    ...(options.polling ? {} : { FAIRLEAD_PUBLIC_URL: apiUrl }),
    ...options.env,
  };
  let printed = "";
  let server: Program | null = null;
  let token = "";
  const start = async (): Promise<void> => {
    const program = launch(process.execPath, [BIN, "serve"], { env });
    server = program;
    program.stdout?.on("data", (part: Buffer) => (printed += part.toString()));
    program.stderr?.on("data", (part: Buffer) => (printed += part.toString()));
    let ended = false;
    void program.ended.then(() => (ended = true));
    await waitUntil(
      async () => {
        if (ended) throw new Error(`the server ended:\n${printed}`);
        return (
          printed.includes("Fairlead is ready") &&
          (await fetch(`${apiUrl}/readyz`).then(
            (answer) => answer.ok,
            () => false,
          ))
        );
      },
      { everyMs: 50, signal: AbortSignal.timeout(60_000) },
    );
    token = (await readFile(join(dataDir, "api-token"), "utf8")).trim();
  };
  const removeAll = async (): Promise<void> => {
    await killProcesses(dataDir);
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  };
  await start().catch(async (error: unknown) => {
    await removeAll();
    throw error;
  });
  const client: DemoClient = {
    call: (operation, input) =>
      createDemoClient(apiUrl, new Secret(token), AbortSignal.timeout(120_000)).call(operation, input),
  };
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    const program = server;
    if (!program?.pid || !isAlive(program.pid)) return null;
    process.kill(program.pid, signal);
    const { exitCode } = await program.ended;
    return exitCode;
  };
  return {
    dataDir,
    apiUrl,
    client,
    edge,
    start,
    get apiToken() {
      return token;
    },
    pid: () => server?.pid ?? 0,
    output: () => printed,
    cli: (words, input) => runCommand(words, { ...env, FAIRLEAD_URL: apiUrl, NO_COLOR: "1" }, input),
    kill: async () => void (await end("SIGKILL")),
    end,
    waitForEnd: (deployment, seconds = 90) =>
      waitUntil(
        async () => {
          const found = await client.call(api.getDeployment, { params: { deployment } }).catch(() => null); // the server may be away for a while
          return found?.finishedAt ? found : null;
        },
        { everyMs: 100, signal: AbortSignal.timeout(seconds * 1000) },
      ),
    findDeployment: (app, commit) =>
      waitUntil(
        async () => {
          const answer = await client.call(api.listDeployments, { params: { app } }).catch(() => null);
          return answer?.deployments.find((one) => one.commit === commit);
        },
        { everyMs: 50, signal: AbortSignal.timeout(60_000) },
      ),
    async [Symbol.asyncDispose]() {
      try {
        const alive = server !== null && isAlive(server.pid);
        if (!alive && (await findProcesses(dataDir)).length > 0) await start(); // edge and replicas of a killed server are ended by its successor
        if (server?.pid && isAlive(server.pid)) process.kill(server.pid, "SIGCONT"); // a test that failed may have left it stopped
        await Promise.race([end("SIGINT"), sleep(30_000, undefined, { ref: false })]);
      } finally {
        await removeAll();
      }
    },
  };
}

async function runCommand(
  words: readonly string[],
  env: Record<string, string>,
  input: string | undefined,
): Promise<CliResult> {
  const program = launch(process.execPath, [BIN, ...words], {
    env,
    signal: AbortSignal.timeout(120_000),
    ...(input === undefined ? {} : { input }),
  });
  const written = { out: "", err: "" };
  program.stdout?.on("data", (part: Buffer) => (written.out += part.toString()));
  program.stderr?.on("data", (part: Buffer) => (written.err += part.toString()));
  const { exitCode } = await program.ended;
  return { code: exitCode, ...written };
}

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
