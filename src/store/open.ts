import { Kysely, PostgresDialect, sql } from "kysely";
import { DatabaseError, Pool } from "pg";
import { Fault, toFault } from "../faults/fault.ts";
import { retry } from "../kernel/retry.ts";
import { silentLogger, type Logger } from "../telemetry/log.ts";
import { connectionConfig } from "./connection.ts";
import { startEmbedded } from "./embedded/supervise.ts";
import { createListener } from "./listener.ts";
import { migrate } from "./migrate.ts";
import type { Database } from "./rows.ts";
import type { Channel, Db, Store, Tx } from "./store.ts";

export interface OpenOptions {
  /** Of a PostgreSQL that somebody else runs. Without it the embedded one is started. */
  readonly connectionString?: string | undefined;
  readonly embedded?: { readonly dataFolder: string; readonly settings?: Readonly<Record<string, string>> };
  readonly log?: Logger;
  readonly signal?: AbortSignal;
  /** Migrate only up to here: for restoring a backup made with an older schema, before going on. Default: the newest. */
  readonly schema?: string;
  /** Connections in the pool at most. Default 16. */
  readonly maxConnections?: number;
}

/**
 * Opens the database, embedded or given, and migrates it. A connection that breaks fails its own query only; the next query gets a new one.
 * Throws `DATABASE_UNAVAILABLE`.
 */
export async function openStore(options: OpenOptions): Promise<Store> {
  const log = options.log ?? silentLogger;
  await using undo = new AsyncDisposableStack();
  const address = options.connectionString ?? (await openEmbedded(options, log, undo));
  const pool = createPool(address, log, options.maxConnections ?? 16);
  undo.defer(() => pool.end());
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  const listener = undo.use(createListener(address, log));
  await ensureReachable(pool, address);
  await migrate(db, options.schema);
  const release = undo.move();
  return {
    db,
    pool,
    transaction: (work) => transact(db, work),
    notify: (channel, payload, on) => notify(on ?? db, channel, payload),
    listen: (channel, onMessage, onReconnect = () => {}) =>
      listener.subscribe({ channel: channelName(channel), onMessage, onReconnect }),
    [Symbol.asyncDispose]: () => release.disposeAsync(),
  };
}

async function openEmbedded(options: OpenOptions, log: Logger, undo: AsyncDisposableStack): Promise<string> {
  if (options.embedded === undefined) {
    throw Fault.of("DATABASE_UNAVAILABLE", "", {
      message: "neither a database address nor a data folder is given",
    });
  }
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  return undo.use(await startEmbedded({ ...options.embedded, log, ...signal })).connectionString;
}

function createPool(address: string, log: Logger, max: number): Pool {
  const pool = new Pool({ ...connectionConfig(address), max, idleTimeoutMillis: 10_000 });
  pool.on("error", (error) => {
    if (!pool.ending) log.warn({ err: error }, "an idle database connection broke"); // its server is being stopped too
  });
  // the pool does not hear a connection that is in use, and an unheard error event ends the process
  pool.on("connect", (client) => {
    client.on("error", (error) => log.debug({ err: error }, "a database connection in use broke"));
  });
  return pool;
}

async function ensureReachable(pool: Pool, address: string): Promise<void> {
  try {
    await pool.query("select 1");
  } catch (cause) {
    throw Fault.of("DATABASE_UNAVAILABLE", "", {
      message: `the database does not answer: ${toFault(cause).message}`,
      evidence: { host: hostOf(address) },
      retryable: true,
      cause,
    });
  }
}

/** Never the whole address: it holds a password. */
function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host : "";
}

const TRANSACTION_TRIES = 3;
const RETRYABLE = new Set(["40001", "40P01"]);

async function transact<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  const waitFor = (error: unknown, attempt: number): number | null =>
    error instanceof DatabaseError && RETRYABLE.has(error.code ?? "") ? attempt * 10 * Math.random() : null;
  return retry({ attempts: TRANSACTION_TRIES, baseMs: 10, maxMs: 50, waitFor }, () =>
    db.transaction().execute(work),
  );
}

/** PostgreSQL refuses a payload of 8,000 bytes and more. */
const PAYLOAD_LIMIT = 7 * 1024;

async function notify(on: Db | Tx, channel: Channel, payload: string): Promise<void> {
  if (Buffer.byteLength(payload) > PAYLOAD_LIMIT) {
    throw Fault.of("INTERNAL", "", { message: `a notification on ${channel} is longer than 7 KB` });
  }
  await sql`select pg_notify(${channelName(channel)}, ${payload})`.execute(on);
}

/** The database may be shared with other programs. */
function channelName(channel: Channel): string {
  return `fairlead_${channel}`;
}
