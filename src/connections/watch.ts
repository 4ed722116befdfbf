import { sql } from "kysely";
import { toFault } from "../faults/fault.ts";
import { deadline, sleep } from "../kernel/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import type { CheckConnection } from "./connect.ts";
import { recordLook } from "./record.ts";
import { rotateToken, settleRotation, type RotateDeps } from "./rotate.ts";
import { writeConnectionEvent } from "./trouble.ts";

export interface WatchDeps extends RotateDeps {
  readonly checkConnection: CheckConnection;
  readonly log: Logger;
  /** Milliseconds between looks at the list. Default: a minute. */
  readonly tickMs?: number;
}

const TICK_MS = 60_000;
const LOOK_MS = 120_000;

interface Due {
  readonly id: string;
  readonly name: string;
  /** A rotation was begun that nobody ended. */
  readonly unsettled: boolean;
  readonly rotateFor: number | null;
}

/**
 * Looks at every connection once a day, at one in trouble every ten minutes, and at one that is suspected at once. Tells what changed, and rotates
 * tokens whose owners wish it. Runs until the signal aborts.
 */
export async function watchConnections(deps: WatchDeps, stopping: AbortSignal): Promise<void> {
  let rung = new AbortController();
  const ring = (): void => rung.abort();
  await using held = new AsyncDisposableStack();
  held.use(await deps.store.listen("connection", ring, ring));
  while (!stopping.aborted) {
    rung = new AbortController();
    for (const due of await listDue(deps)) {
      if (stopping.aborted) return;
      await lookSafely(deps, due, deadline(LOOK_MS, stopping));
    }
    await sleep(deps.tickMs ?? TICK_MS, AbortSignal.any([rung.signal, stopping])).catch(() => {}); // woken early is not a failure
  }
}

async function listDue({ store, log }: WatchDeps): Promise<readonly Due[]> {
  try {
    const { rows } = await sql<Due>`
      select id, name, coalesce(rotating_at < now() - interval '5 minutes', false) as unsettled,
        case when trouble is null and rotating_at is null and rotate_before_days is not null
            and token_expires_at - (now() at time zone 'UTC')::date <= rotate_before_days
            and coalesce(rotated_at < now() - interval '1 day', true)
          then rotate_for_days end as "rotateFor"
      from connection
      where suspect_at is not null or rotating_at < now() - interval '5 minutes'
        or checked_at < now() - case when trouble is null then interval '1 day' else interval '10 minutes' end
      order by suspect_at nulls last, checked_at`.execute(store.db);
    return rows;
  } catch (error) {
    log.error({ error: toFault(error) }, "Connections could not be listed");
    return [];
  }
}

async function lookSafely(deps: WatchDeps, due: Due, signal: AbortSignal): Promise<void> {
  const { id, name } = due;
  try {
    if (due.unsettled) await settleRotation(deps, id);
    await look(deps, id, signal);
    if (due.rotateFor !== null) await rotateByPolicy(deps, id, due.rotateFor);
  } catch (error) {
    if (signal.aborted) return;
    deps.log.warn({ connection: name, error: toFault(error) }, "A connection could not be looked at");
    // Not again in the next moment: that is what suspicion would mean.
    await deps.store.db
      .updateTable("connection")
      .set({ suspect_at: null, checked_at: sql`now()` })
      .where("id", "=", id)
      .execute();
  }
}

async function look(
  { store, clients, checkConnection, clock }: WatchDeps,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const before = await store.db
    .selectFrom("connection")
    .select("token")
    .where("id", "=", id)
    .executeTakeFirst();
  if (!before) return;
  const { gitlab, token, network } = await clients.open(id);
  const checked = await checkConnection({ url: gitlab.baseUrl, token, network, signal });
  await recordLook(store, id, { ...checked, token: before.token }, clock.now());
}

/** The look before may have found trouble: then the token is left alone. */
async function rotateByPolicy(deps: WatchDeps, id: string, days: number): Promise<void> {
  const row = await deps.store.db
    .selectFrom("connection")
    .select("trouble")
    .where("id", "=", id)
    .executeTakeFirst();
  if (!row || row.trouble !== null) return;
  try {
    await rotateToken(deps, id, days);
  } catch (error) {
    const fault = toFault(error);
    deps.log.warn({ connection: id, error: fault }, "A token could not be rotated");
    await deps.store.db
      .updateTable("connection")
      .set({ rotated_at: sql`now()` })
      .where("id", "=", id)
      .execute(); // tomorrow again
    if (fault.is("BAD_REQUEST"))
      await writeConnectionEvent(deps.store.db, id, "rotation_failed", fault.message);
  }
}
