import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { onTestFinished } from "vitest";
import { deadline } from "../../src/kernel/clock.ts";
import { waitUntil } from "../../src/kernel/retry.ts";
import { launch } from "../../src/kernel/run.ts";
import { shortHash } from "../../src/store/embedded/folders.ts";
import { listHolders } from "../../src/store/embedded/processes.ts";

export const isRoot = process.getuid?.() === 0;

export async function makeFolder(parent = tmpdir()): Promise<string> {
  const folder = await realpath(await mkdtemp(join(parent, "fairlead-supervise-")));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

export async function query(address: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: address, connectionTimeoutMillis: 5_000 });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

export async function queryUntilAnswered(address: string, text: string): Promise<unknown[]> {
  return waitUntil(() => query(address, text).catch(() => null), {
    everyMs: 20,
    signal: deadline(20_000),
  });
}

export async function holdersOf(folder: string): Promise<number[]> {
  const data = join(folder, "pg18");
  return (await listHolders(data, `fairlead-${shortHash(data)}`)).map((holder) => holder.pid);
}

/** A Fairlead in a process of its own that starts the server, says so, and stops when its input ends. */
const CHILD = `
  import { startEmbedded } from ${JSON.stringify(new URL("../../src/store/embedded/supervise.ts", import.meta.url).href)};
  try {
    const server = await startEmbedded({ dataFolder: process.argv[1] });
    console.log(JSON.stringify({ address: server.connectionString, pid: server.pid() }));
    process.stdin.resume().once("end", () => void server[Symbol.asyncDispose]());
  } catch (error) {
    console.log(JSON.stringify({ code: error.code, reason: error.reason, message: error.message, evidence: error.evidence }));
  }`;

interface Answer {
  readonly address?: string;
  readonly pid?: number;
  readonly code?: string;
  readonly reason?: string;
  readonly message?: string;
}

export async function startChild(folder: string, uid?: number, env: Readonly<Record<string, string>> = {}) {
  const child = launch(process.execPath, ["--input-type=module", "-e", CHILD, folder], {
    env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", ...env },
    keepStdin: true,
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  child.stdout?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  let complaints = "";
  child.stderr?.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  await Promise.race([
    child.ended,
    waitUntil(() => said.includes("\n"), { everyMs: 5, signal: deadline(30_000) }),
  ]);
  if (said === "") throw new Error(`the child said nothing: ${complaints}`);
  const answer: Answer = JSON.parse(said);
  return { child, answer };
}
