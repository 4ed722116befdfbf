import { sql } from "kysely";
import { sleep, toError } from "../kernel/clock.ts";
import type { Db } from "../store/store.ts";
import type { Parts } from "./context.ts";

const EVERY_MS = 3_600_000;
/** Rows in one statement: locks and dead rows stay few however much has gathered. */
const BATCH = 5000;

/** What is only of interest for a while: the statement deletes one batch of what is older than its days. */
const OLD = [
  {
    what: "build logs",
    days: 30,
    table: "log_chunk",
    where: "deployment_id in (select id from deployment where finished_at < $)",
  },
  { what: "sent reports", days: 7, table: "outbox", where: "state <> 'pending' and created_at < $" },
  { what: "events", days: 365, table: "event", where: "at < $" },
  { what: "events of connections", days: 365, table: "connection_event", where: "at < $" },
] as const;

/** Deployments themselves stay: they are the history of an app, and small. Returns how many rows went. */
export async function deleteOldRows(db: Db, signal: AbortSignal): Promise<number> {
  let deleted = 0;
  for (const { days, table, where } of OLD) {
    const condition = where.replace("$", `now() - interval '${days} days'`);
    const statement = `delete from ${table} where ctid = any(array(select ctid from ${table} where ${condition} limit ${BATCH}))`;
    for (let count = BATCH; count === BATCH && !signal.aborted; deleted += count) {
      count = Number((await sql.raw(statement).execute(db)).numAffectedRows ?? 0n);
    }
  }
  return deleted;
}

/** Once an hour until the signal aborts. */
export async function keepRowsBounded(
  { store, log }: Pick<Parts, "store" | "log">,
  stopping: AbortSignal,
): Promise<void> {
  while (!stopping.aborted) {
    try {
      const deleted = await deleteOldRows(store.db, stopping);
      if (deleted > 0) log.info({ deleted, kinds: OLD.map((old) => old.what) }, "Deleted old rows");
    } catch (error) {
      log.warn({ error: toError(error) }, "old rows could not be deleted");
    }
    await sleep(EVERY_MS, stopping).catch(() => {}); // the loop's condition ends it
  }
}
