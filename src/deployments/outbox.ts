import { sql } from "kysely";
import { z } from "zod";
import { toFault, type Fault } from "../faults/fault.ts";
import { sleep, toError } from "../kernel/clock.ts";
import { backoff } from "../kernel/retry.ts";
import type { Tx } from "../store/store.ts";
import type { Parts } from "./context.ts";

/** Within a day most outages end; after that nobody looks at a commit's status any more. */
const MOST_TRIES = 40;
const SWEEP_MS = 1000;
/** One sender looks every second; the others come with a notification, so that an idle Fairlead does not keep a connection for each. */
const REST_MS = 60_000;

/** So that a GitLab that does not answer holds up only its own reports. */
const SENDERS = 4;

/**
 * Tells GitLab, in order per commit, retried, never delaying a deployment: rows are written with the state they report and sent here.
 * Runs until the signal aborts.
 */
export async function runOutbox(parts: Parts, stopping: AbortSignal): Promise<void> {
  await Promise.all(
    Array.from({ length: SENDERS }, (_, index) =>
      runSender(parts, stopping, index === 0 ? SWEEP_MS : REST_MS),
    ),
  );
}

async function runSender(parts: Parts, stopping: AbortSignal, pauseMs: number): Promise<void> {
  let rung = new AbortController();
  await using subscriptions = new AsyncDisposableStack();
  subscriptions.use(await parts.store.listen("outbox", () => rung.abort()));
  while (!stopping.aborted) {
    const sent = await sendNext(parts, stopping).catch((error: unknown) => {
      parts.log.warn({ error: toError(error) }, "the outbox could not be read; it is tried again");
      return false;
    });
    if (sent) continue;
    await sleep(pauseMs, AbortSignal.any([rung.signal, stopping])).catch(() => {}); // woken early is not a failure
    rung = new AbortController();
  }
}

interface Row {
  readonly id: number;
  readonly connection_id: string;
  readonly project_id: number;
  readonly payload: unknown;
  readonly tries: number;
}

const payloadShape = z.object({
  sha: z.string(),
  state: z.enum(["pending", "running", "success", "failed", "canceled"]),
  ref: z.string(),
  name: z.string(),
  targetUrl: z.string(),
  description: z.string(),
});

/** One report. Its row stays locked while GitLab is asked, so that two workers never send the reports of one commit out of order. */
async function sendNext(parts: Parts, stopping: AbortSignal): Promise<boolean> {
  return parts.store.transaction(async (tx) => {
    const row = await claimOldest(tx);
    if (!row) return false;
    const fault = await send(parts, row, stopping);
    await settle(parts, tx, row, fault);
    return true;
  });
}

/** The oldest pending report of a commit, if it is due: reports behind it wait. */
async function claimOldest(tx: Tx): Promise<Row | undefined> {
  const { rows } = await sql<Row>`
    select o.id::int as id, o.connection_id, o.project_id, o.payload, o.tries from outbox o
    where o.state = 'pending' and o.not_before <= now()
      and not exists (select 1 from outbox p where p.order_key = o.order_key and p.state = 'pending' and p.id < o.id)
    order by o.id limit 1 for update of o skip locked`.execute(tx);
  return rows[0];
}

async function send(parts: Parts, row: Row, signal: AbortSignal): Promise<Fault | null> {
  try {
    const { gitlab } = await parts.connections.open(row.connection_id);
    const { sha, ...status } = payloadShape.parse(row.payload);
    await gitlab.setCommitStatus(row.project_id, sha, status, { signal });
    return null;
  } catch (error) {
    return toFault(error);
  }
}

async function settle(parts: Parts, tx: Tx, row: Row, fault: Fault | null): Promise<void> {
  const tries = row.tries + 1;
  const again = fault?.retryable === true && tries < MOST_TRIES;
  if (fault && !again)
    parts.log.warn(
      { code: fault.code, reason: fault.reason, message: fault.message },
      "GitLab does not take a commit status",
    );
  await tx
    .updateTable("outbox")
    .set({
      tries,
      state: fault === null ? "sent" : again ? "pending" : "failed",
      ...(fault === null
        ? { sent_at: new Date() }
        : { fault: JSON.stringify({ code: fault.code, reason: fault.reason, message: fault.message }) }),
      ...(again
        ? {
            not_before: new Date(
              Math.max(Date.now() + backoff(tries, 1000, 30 * 60_000), fault.retryAt ?? 0),
            ),
          }
        : {}),
    })
    .where("id", "=", row.id)
    .execute();
}
