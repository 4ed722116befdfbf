import { sql } from "kysely";
import { toFault } from "../faults/fault.ts";
import { sleep } from "../kernel/clock.ts";
import type { Db } from "../store/store.ts";
import type { Logger } from "../telemetry/log.ts";

const KEEP_DAYS = 30;
/** Rows in one statement: locks and dead rows stay few however long Fairlead was off. */
const BATCH = 1000;
const EVERY_MS = 3_600_000;

/** Deletes deliveries older than 30 days. Returns how many. Deployments stay and lose only the reference. */
export async function deleteOldDeliveries(db: Db, signal: AbortSignal): Promise<number> {
  let deleted = 0;
  while (!signal.aborted) {
    const result = await sql`
      delete from delivery where id in (
        select id from delivery where received_at < now() - ${KEEP_DAYS} * interval '1 day'
        order by received_at limit ${BATCH} for update skip locked)`.execute(db);
    const count = Number(result.numAffectedRows ?? 0n);
    deleted += count;
    if (count < BATCH) break;
  }
  return deleted;
}

/** Once an hour until the signal aborts. */
export async function keepDeliveriesBounded(db: Db, log: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const deleted = await deleteOldDeliveries(db, signal);
      if (deleted > 0) log.info({ deleted }, "Deleted deliveries older than 30 days");
    } catch (error) {
      log.warn({ error: toFault(error) }, "Old deliveries could not be deleted");
    }
    await sleep(EVERY_MS, signal).catch(() => {}); // the loop's condition ends it
  }
}
