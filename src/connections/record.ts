import { sql } from "kysely";
import type { Diagnosis } from "../doctor/diagnosis.ts";
import type { Found } from "../doctor/found.ts";
import type { Store, Tx } from "../store/store.ts";
import { foundColumns } from "./connect.ts";
import { needsPerson, parseTrouble, setTrouble, writeConnectionEvent } from "./trouble.ts";

export interface Looked {
  readonly diagnosis: Diagnosis;
  readonly found: Found | null;
  /** The stored token, sealed, before the look. */
  readonly token: Buffer;
}

/** Days before the end of a token at which a person is told, once each. */
const THRESHOLDS = [1, 7, 14, 30];

/** Writes what a look at a stored connection found: what it is now, and an event for what has changed since the last look. `now` in milliseconds. */
export async function recordLook(
  store: Store,
  id: string,
  { diagnosis, found, token }: Looked,
  now: number,
): Promise<void> {
  await store.transaction(async (tx) => {
    const before = await tx
      .selectFrom("connection")
      .select(["trouble", "warned_days", "token"])
      .where("id", "=", id)
      .forUpdate()
      .executeTakeFirst();
    // Another token was stored meanwhile: what the one before was like is no news of this connection.
    if (!before?.token.equals(token)) return;
    const trouble = parseTrouble(before.trouble);
    const { error } = diagnosis;
    if (error === null && found !== null) {
      await tx
        .updateTable("connection")
        .set({ ...foundColumns(found), ...LOOKED, trouble: null, paused_at: null })
        .where("id", "=", id)
        .execute();
      if (trouble) await writeConnectionEvent(tx, id, "recovered", "GitLab answers as it should again");
      return warnOfExpiry(tx, id, found.token.expiresAt, before.warned_days, now);
    }
    // Whether a token is good again is not known from a GitLab that does not answer: what waits goes on waiting.
    const paused =
      error !== null && needsPerson(error) ? { paused_at: sql<Date>`coalesce(paused_at, now())` } : {};
    await tx
      .updateTable("connection")
      .set({ ...LOOKED, ...paused })
      .where("id", "=", id)
      .execute();
    if (error === null || (trouble?.code === error.code && trouble.reason === error.reason)) return;
    await setTrouble(tx, id, { code: error.code, reason: error.reason, title: error.title });
  });
}

const LOOKED = { checked_at: sql<Date>`now()`, suspect_at: null };

async function warnOfExpiry(
  tx: Tx,
  id: string,
  expiresAt: string | null,
  warned: number | null,
  now: number,
): Promise<void> {
  const days = expiresAt === null ? Infinity : Math.ceil((Date.parse(expiresAt) - now) / 86_400_000);
  const threshold = THRESHOLDS.find((least) => days <= least) ?? null;
  if (threshold === warned) return;
  await tx.updateTable("connection").set({ warned_days: threshold }).where("id", "=", id).execute();
  if (threshold === null || (warned !== null && threshold > warned)) return;
  const text = `The token expires on ${expiresAt}, 00:00 UTC: ${days <= 1 ? "within a day" : `in ${days} days`}`;
  await writeConnectionEvent(tx, id, "expires", text);
}
