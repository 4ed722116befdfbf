import { sql } from "kysely";
import type { Fault } from "../faults/fault.ts";
import { backoff } from "../kernel/retry.ts";
import type { Db, Tx } from "../store/store.ts";

/** How long GitLab may be away before a delivery is given up; the branch is looked at by polling even then. */
const GIVE_UP_MS = 3_600_000;

export interface Verdict {
  readonly verdict: "deployed" | "ignored" | "failed";
  readonly reason: string | null;
  readonly trace: readonly string[];
}

/** A delivery that is not decided yet. */
export interface Undecided {
  readonly id: string;
  readonly tries: number;
  readonly ageMs: number;
}

export function ignored(reason: string): Verdict {
  return { verdict: "ignored", reason, trace: [] };
}

/** Writes the verdict, once: a delivery that has one keeps it. */
export async function finish(on: Db | Tx, deliveryId: string, decision: Verdict): Promise<void> {
  await sql`
    update delivery
    set state = 'processed', verdict = ${decision.verdict}, reason = ${decision.reason}, processed_at = now(),
      trace = trace || ${JSON.stringify(decision.trace)}::jsonb
    where id = ${deliveryId} and state = 'received'`.execute(on);
}

/** What time may heal waits, anything else fails with its reason. */
export async function giveUpOrWait(db: Db, waiting: Undecided, fault: Fault): Promise<void> {
  const words = wordsOf(fault);
  if (mayPass(fault) && waiting.ageMs < GIVE_UP_MS) return postpone(db, waiting, words, fault.retryAt);
  await finish(db, waiting.id, { verdict: "failed", reason: words, trace: [words] });
}

/** It waits until its connection works again, however long that takes. The reason joins the trace once. */
export async function noteWaiting(db: Db, waiting: Undecided, fault: Fault): Promise<void> {
  const note = JSON.stringify([`Waiting: ${wordsOf(fault)}`]);
  await sql`
    update delivery
    set trace = case when trace @> ${note}::jsonb then trace else trace || ${note}::jsonb end
    where id = ${waiting.id} and state = 'received'`.execute(db);
}

function wordsOf(fault: Fault): string {
  return `${fault.code}${fault.reason === "" ? "" : ` (${fault.reason})`}: ${fault.message}`.slice(0, 1000);
}

function mayPass(fault: Fault): boolean {
  return (
    fault.retryable ||
    fault.is("UNREACHABLE") ||
    fault.is("RATE_LIMITED") ||
    fault.is("GITLAB_UNAVAILABLE") ||
    fault.is("CANCELLED") ||
    fault.is("INTERNAL")
  );
}

/** Tried again after a pause that doubles from half a second to five minutes, or when GitLab said. The reason joins the trace once. */
export async function postpone(
  db: Db,
  waiting: Undecided,
  why: string,
  retryAt: number | null = null,
): Promise<void> {
  const wait = Math.max(backoff(waiting.tries + 1, 1000, 300_000), (retryAt ?? 0) - Date.now());
  const note = JSON.stringify([`Waiting: ${why}`]);
  await sql`
    update delivery
    set tries = tries + 1, not_before = now() + ${Math.min(wait, GIVE_UP_MS)} * interval '1 millisecond',
      trace = case when trace @> ${note}::jsonb then trace else trace || ${note}::jsonb end
    where id = ${waiting.id} and state = 'received'`.execute(db);
}
