import { Client, escapeIdentifier } from "pg";
import { toError } from "../kernel/clock.ts";
import { retry } from "../kernel/retry.ts";
import type { Logger } from "../telemetry/log.ts";
import { connectionConfig } from "./connection.ts";
import type { Subscription } from "./store.ts";

interface Handler {
  readonly channel: string;
  readonly onMessage: (payload: string) => void;
  readonly onReconnect: () => void;
}

/** A silent network drop is noticed within a check and its time-out; keepalive alone takes minutes on most kernels. */
export interface CheckTimes {
  readonly everyMs: number;
  readonly timeoutMs: number;
}

const CHECKS: CheckTimes = { everyMs: 10_000, timeoutMs: 5_000 };

export interface Listener extends AsyncDisposable {
  subscribe(handler: Handler): Promise<Subscription>;
}

/**
 * One connection of its own for all channels, made with the first subscription. When it is lost it connects again with growing pauses, at most
 * 5 s, listens to everything again, and then tells every subscriber, since notifications in between are gone.
 */
export function createListener(connectionString: string, log: Logger, checks: CheckTimes = CHECKS): Listener {
  const handlers = new Set<Handler>();
  const stopping = new AbortController();
  let client: Client | null = null;
  let connecting: Promise<void> | null = null;
  let reconnecting: Promise<void> | null = null;
  let inTurn = createTurns();

  const open = async (): Promise<void> => {
    const channels = [...handlers].map((handler) => handler.channel);
    const deliver: Deliver = (channel, payload) => deliverTo(handlers, channel, payload, log);
    const next = await connect(connectionString, channels, deliver, lose);
    client = next;
    inTurn = createTurns();
    if (stopping.signal.aborted) await next.end();
    else watch(next, checks, inTurn, lose);
  };

  const lose = (lost: Client, error: Error): void => {
    if (client !== lost) return;
    client = null;
    void lost.end().catch(() => {});
    if (stopping.signal.aborted) return;
    log.warn({ err: error }, "the connection that listens was lost");
    reconnecting = reconnect()
      .catch((error: unknown) => log.debug({ err: error }, "listening ended"))
      .finally(() => (reconnecting = null));
  };

  const reconnect = async (): Promise<void> => {
    const forEver = { attempts: Infinity, baseMs: 50, maxMs: 5_000, signal: stopping.signal };
    await retry(forEver, open);
    for (const handler of handlers) guard(() => handler.onReconnect(), log);
  };

  const ensureOpen = async (): Promise<void> => {
    if (client !== null || reconnecting !== null) return reconnecting ?? undefined;
    connecting ??= open().finally(() => (connecting = null));
    await connecting;
  };

  return {
    async subscribe(handler) {
      stopping.signal.throwIfAborted();
      handlers.add(handler);
      try {
        await ensureOpen();
        await inTurn(async () => client?.query(`listen ${escapeIdentifier(handler.channel)}`));
      } catch (error) {
        handlers.delete(handler);
        throw toError(error);
      }
      return { [Symbol.asyncDispose]: async () => void handlers.delete(handler) };
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error("the store is closed"));
      const open = client;
      client = null;
      await open?.end().catch(() => {});
      await Promise.allSettled([connecting, reconnecting]);
    },
  };
}

type InTurn = (ask: () => Promise<unknown>) => Promise<unknown>;

/** One question at a time: asking a connection while it answers is on its way out of `pg`. */
function createTurns(): InTurn {
  let turn: Promise<unknown> = Promise.resolve();
  return (ask) => {
    const answer = turn.then(ask);
    turn = answer.catch(() => {});
    return answer;
  };
}

type Deliver = (channel: string, payload: string) => void;

function deliverTo(handlers: Iterable<Handler>, channel: string, payload: string, log: Logger): void {
  for (const handler of handlers) {
    if (handler.channel === channel) guard(() => handler.onMessage(payload), log);
  }
}

/** A connection that listens to `channels`. `lose` is called, perhaps twice, when it ends by itself. */
async function connect(
  connectionString: string,
  channels: readonly string[],
  deliver: Deliver,
  lose: (client: Client, error: Error) => void,
): Promise<Client> {
  const client = new Client(connectionConfig(connectionString));
  client.on("error", (error) => lose(client, error));
  client.on("end", () => lose(client, new Error("the connection ended")));
  client.on("notification", ({ channel, payload }) => deliver(channel, payload ?? ""));
  try {
    await client.connect();
    for (const channel of new Set(channels)) await client.query(`listen ${escapeIdentifier(channel)}`);
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}

/** A subscriber's mistake must not end the connection that the others use. */
function guard(call: () => void, log: Logger): void {
  try {
    call();
  } catch (error) {
    log.error({ err: error }, "a notification's subscriber failed");
  }
}

/** Asks the server something now and then: a connection that does not answer counts as lost. */
function watch(
  client: Client,
  checks: CheckTimes,
  inTurn: InTurn,
  lose: (client: Client, error: Error) => void,
): void {
  const check = setInterval(() => {
    const late = setTimeout(() => lose(client, new Error("no answer in time")), checks.timeoutMs).unref();
    inTurn(() => client.query("select 1")).then(
      () => clearTimeout(late),
      (error: unknown) => {
        clearTimeout(late);
        lose(client, toError(error));
      },
    );
  }, checks.everyMs).unref();
  client.once("end", () => clearInterval(check));
}
