import { sql } from "kysely";
import { z } from "zod";
import type { Fault } from "../faults/fault.ts";
import type { Db, Store, Tx } from "../store/store.ts";

/** What is wrong with a connection: the first broken layer of its last look. */
export interface Trouble {
  readonly code: string;
  readonly reason: string;
  readonly title: string;
}

const troubleSchema = z.object({ code: z.string(), reason: z.string(), title: z.string() });

export function parseTrouble(stored: unknown): Trouble | null {
  return stored === null ? null : troubleSchema.parse(stored);
}

/** Only a person can mend these, in GitLab; every further call would end the same way. */
export function needsPerson({ code, reason }: { readonly code: string; readonly reason: string }): boolean {
  if (code === "INSUFFICIENT_SCOPES") return reason === "missing_api";
  return ["AUTH_FAILED", "ACCOUNT_UNUSABLE", "GIT_AUTH_FAILED", "GIT_SCOPE_MISSING"].includes(code);
}

/** What happens to a connection, for people. */
type EventKind = "trouble" | "recovered" | "expires" | "reconnected" | "rotated" | "rotation_failed";

export async function writeConnectionEvent(
  on: Db | Tx,
  id: string,
  kind: EventKind,
  text: string,
): Promise<void> {
  await on.insertInto("connection_event").values({ connection_id: id, kind, text }).execute();
}

/** The connection as a whole may be what is wrong, not this one project. */
const OF_THE_CONNECTION = ["UNREACHABLE", "TLS_UNTRUSTED", "REDIRECTED", "NOT_GITLAB", "GITLAB_UNAVAILABLE"];

/**
 * A call failed in a way that the token may be the cause of. If only a person can mend it, everything that needs the token waits from now on; whether that
 * is so is looked at right away. Returns whether it waits.
 */
export async function suspect(store: Store, id: string, fault: Fault): Promise<boolean> {
  if (!needsPerson(fault)) {
    if (OF_THE_CONNECTION.includes(fault.code)) await haveLookedAt(store, id);
    return false;
  }
  await store.transaction(async (tx) => {
    const before = await tx
      .updateTable("connection")
      .set({ suspect_at: sql`now()`, paused_at: sql`coalesce(paused_at, now())` })
      .where("id", "=", id)
      .returning(["trouble"])
      .executeTakeFirst();
    if (!before) return;
    if (before.trouble === null)
      await setTrouble(tx, id, { code: fault.code, reason: fault.reason, title: fault.message });
    await store.notify("connection", id, tx);
  });
  return true;
}

/** Soon, and once a minute at most: a GitLab that is away fails many calls. */
async function haveLookedAt(store: Store, id: string): Promise<void> {
  await store.transaction(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable("connection")
      .set({ suspect_at: sql`now()` })
      .where("id", "=", id)
      .where("suspect_at", "is", null)
      .where("checked_at", "<", sql<Date>`now() - interval '1 minute'`)
      .executeTakeFirst();
    if (numUpdatedRows > 0n) await store.notify("connection", id, tx);
  });
}

/** With its event: told once, not at every look. */
export async function setTrouble(tx: Tx, id: string, trouble: Trouble): Promise<void> {
  await tx
    .updateTable("connection")
    .set({ trouble: JSON.stringify(trouble) })
    .where("id", "=", id)
    .execute();
  await writeConnectionEvent(
    tx,
    id,
    "trouble",
    `${trouble.code}${trouble.reason === "" ? "" : ` (${trouble.reason})`}: ${trouble.title}`,
  );
}
