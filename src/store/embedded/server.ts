import { open, readFile, stat, truncate } from "node:fs/promises";
import { Client } from "pg";
import { Fault } from "../../faults/fault.ts";
import { deadline } from "../../kernel/clock.ts";
import { waitUntil } from "../../kernel/retry.ts";
import { launch, type Program, type ProgramEnd } from "../../kernel/run.ts";
import type { Logger } from "../../telemetry/log.ts";
import { wrapCommand } from "./account.ts";
import type { ServerProgram } from "./cluster.ts";
import {
  connectionString,
  DATABASE,
  ROLE,
  serverArguments,
  SUPERUSER,
  type ServerPaths,
} from "./settings.ts";

/** Milliseconds until a started server must answer. Recovery replays at most max_wal_size (256 MB). */
const READY_MS = 60_000;
const FAST_STOP_MS = 7_500;
const QUIT_STOP_MS = 5_000;
const LOG_LIMIT_BYTES = 4 * 1024 * 1024;
const LOG_CHECK_MS = 60_000;

export interface RunningServer {
  readonly pid: number;
  readonly ended: Promise<ProgramEnd>;
  /** Fast shutdown: ends sessions, writes a checkpoint (measured 14 to 19 ms); harder when that takes too long. */
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly log: Logger;
  readonly logFile: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

/** Starts the server program and waits until it answers and Fairlead's database exists. */
export async function startServer(
  program: ServerProgram,
  paths: ServerPaths,
  options: StartOptions,
): Promise<RunningServer> {
  const words = serverArguments(paths, options.settings);
  const command = wrapCommand(program.identity, program.binaries.postgres, words);
  await using logFile = await open(options.logFile, "a", 0o600);
  const child = launch(command.file, command.words, {
    ...program.identity.spawnAs,
    env: program.env,
    cwd: "/",
    output: { stdout: logFile.fd, stderr: logFile.fd },
  });
  const trimming = setInterval(() => void trimLog(options), LOG_CHECK_MS).unref();
  void child.ended.finally(() => clearInterval(trimming));
  const server = { pid: child.pid ?? 0, ended: child.ended, stop: () => stop(child) };
  try {
    await waitUntilReady(paths, server, options.signal);
    return server;
  } catch (error) {
    await stop(child);
    throw Fault.of("DATABASE_UNAVAILABLE", "", {
      message: `PostgreSQL did not start; its last words are in ${options.logFile}`,
      evidence: { words: await lastWords(options.logFile) },
      cause: error,
    });
  }
}

async function waitUntilReady(
  paths: ServerPaths,
  server: RunningServer,
  signal: AbortSignal | undefined,
): Promise<void> {
  const ended = new AbortController();
  void server.ended.then((end) => ended.abort(new Error(`ended with ${end.exitCode ?? end.signal}`)));
  const until = deadline(READY_MS, ended.signal, signal);
  await waitUntil(() => ensureDatabase(paths), { everyMs: 10, signal: until });
}

/** False while the server does not take connections yet. Fairlead's role is no superuser: its SQL reaches no file and no program. */
async function ensureDatabase(paths: ServerPaths): Promise<boolean> {
  const client = new Client({ connectionString: connectionString(paths.sockets, "postgres", SUPERUSER) });
  client.on("error", () => {}); // the connection is thrown away; the query has failed as well
  try {
    await client.connect();
    const roles = await client.query("select 1 from pg_roles where rolname = $1", [ROLE]);
    if (roles.rowCount === 0) await client.query(`create role ${ROLE} login createdb`);
    const databases = await client.query("select 1 from pg_database where datname = $1", [DATABASE]);
    if (databases.rowCount === 0) await client.query(`create database ${DATABASE} owner ${ROLE}`);
    return true;
  } catch (error) {
    if (isNotReady(error)) return false;
    throw error;
  } finally {
    await client.end().catch(() => {});
  }
}

/** No socket yet, nobody listening, or 57P03 "the database system is starting up". */
function isNotReady(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return ["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE", "57P03"].includes(code);
}

async function stop(child: Program): Promise<void> {
  for (const [signal, ms] of [
    ["SIGINT", FAST_STOP_MS],
    ["SIGQUIT", QUIT_STOP_MS],
  ] as const) {
    child.kill(signal);
    const end = await Promise.race([child.ended, timer(ms)]);
    if (end !== null) return;
  }
  child.kill("SIGKILL");
  await child.ended;
}

async function timer(ms: number): Promise<null> {
  return new Promise((resolve) => setTimeout(() => resolve(null), ms).unref());
}

/** The server appends; cutting the file under it is safe. */
async function trimLog(options: StartOptions): Promise<void> {
  try {
    if ((await stat(options.logFile)).size > LOG_LIMIT_BYTES) await truncate(options.logFile);
  } catch (error) {
    options.log.warn({ err: error }, "PostgreSQL's log could not be trimmed");
  }
}

async function lastWords(logFile: string): Promise<string> {
  return (await readFile(logFile, "utf8").catch(() => "")).slice(-2000);
}
