import { sql } from "kysely";
import { Fault, toFault } from "../faults/fault.ts";
import type { GitLab } from "../gitlab/gitlab.ts";
import type { RotateRequest, Rotated } from "../gitlab/rotation.ts";
import { deadline, type Clock } from "../kernel/clock.ts";
import { retry } from "../kernel/retry.ts";
import type { Vault } from "../secrets/vault.ts";
import type { Store, Tx } from "../store/store.ts";
import { tokenPlace, type Clients } from "./clients.ts";
import { needsPerson, suspect, writeConnectionEvent } from "./trouble.ts";

export interface RotateDeps {
  readonly store: Store;
  readonly vault: Vault;
  readonly clients: Pick<Clients, "open">;
  readonly clock: Clock;
}

interface Held {
  readonly id: string;
  readonly base_url: string;
  readonly version: string | null;
  /** When this rotation began: whoever finds another mark in the row, or none, is no longer the one who rotates. */
  readonly mark: string;
}

const HELD = ["id", "base_url", "version", sql<string>`rotating_at::text`.as("mark")] as const;
/** For asking whether the token lives and for its successor. Well below the minutes after which the watch takes a rotation for broken off. */
const ASK_MS = 60_000;
const DAY_MS = 86_400_000;
/** The successor exists in this process alone until it is stored: the database gets a minute to come back. */
const STORE_ATTEMPTS = 12;

/**
 * Gives a connection's token a successor that lives for `days`, and stores it. Never twice: a mark in the row keeps a second one out until the first is known to have ended. GitLab takes a second
 * rotation with a dead token for theft and revokes the successor; so the stored token, which may come from an old backup, is asked first
 * whether it lives. Throws `CONFLICT` when one is under way, `BAD_REQUEST` where GitLab cannot, and what GitLab says.
 */
export async function rotateToken(deps: RotateDeps, id: string, days: number): Promise<void> {
  const held = await mark(deps, id);
  const { gitlab } = await deps.clients.open(id);
  const signal = deadline(ASK_MS);
  let request: RotateRequest;
  try {
    request = await prepare(deps, gitlab, held, days, signal);
  } catch (error) {
    await unmark(deps, held);
    throw error;
  }
  let rotated: Rotated;
  try {
    rotated = await gitlab.rotateToken(request, { signal });
  } catch (error) {
    await settle(deps, gitlab, held, toFault(error));
    throw error;
  }
  await keep(deps, held, rotated);
}

/** What a rotation that was broken off by a crash has come to: the stored token tells. Called while the mark is there and nobody rotates. */
export async function settleRotation(deps: RotateDeps, id: string): Promise<void> {
  const held = await deps.store.db
    .selectFrom("connection")
    .select(HELD)
    .where("id", "=", id)
    .where("rotating_at", "is not", null)
    .executeTakeFirst();
  if (!held) return;
  const { gitlab } = await deps.clients.open(id);
  await settle(deps, gitlab, held, Fault.of("INTERNAL", "", { message: "Fairlead was stopped meanwhile" }));
}

async function mark({ store }: RotateDeps, id: string): Promise<Held> {
  const held = await store.db
    .updateTable("connection")
    .set({ rotating_at: sql`now()` })
    .where("id", "=", id)
    .where("rotating_at", "is", null)
    .returning(HELD)
    .executeTakeFirst();
  if (held) return held;
  throw Fault.of("CONFLICT", "", {
    message: "The token is being rotated at this moment, or it is not yet known how that ended",
  });
}

/** False: a new token was given meanwhile, and what became of the one before matters no more. */
async function unmark({ store }: RotateDeps, { id, mark }: Held): Promise<boolean> {
  const { numUpdatedRows } = await store.db
    .updateTable("connection")
    .set({ rotating_at: null })
    .where("id", "=", id)
    .where("rotating_at", "=", sql<Date>`${mark}::timestamptz`)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

async function prepare(
  { clock }: RotateDeps,
  gitlab: GitLab,
  held: Held,
  days: number,
  signal: AbortSignal,
): Promise<RotateRequest> {
  const token = await gitlab.findToken({ signal });
  const [major = 0, minor = 0] = (held.version ?? "0").split(".").map(Number);
  if (token === null || major < 16) {
    const message = `GitLab rotates tokens from 16.0 on${held.version === null ? "" : `, this is ${held.version}`}`;
    throw Fault.of("BAD_REQUEST", "unsupported", { message });
  }
  const expiresAt = new Date(clock.now() + days * DAY_MS).toISOString().slice(0, 10);
  const bySelf = major > 16 || minor >= 10 || token.id === null;
  return { token: bySelf ? "self" : (token.id ?? "self"), expiresAt };
}

/** A clear refusal left the token as it was. After anything else only the token itself tells which of the two has happened. */
async function settle(deps: RotateDeps, gitlab: GitLab, held: Held, fault: Fault): Promise<void> {
  const { id } = held;
  const { status } = fault.evidence;
  const refused = status !== undefined && status >= 400 && status < 500;
  const words = `The token could not be rotated: ${fault.message}`;
  try {
    if (!refused) await gitlab.findToken();
  } catch (error) {
    const dead = toFault(error);
    // Not known yet: the mark stays, and the next look asks again.
    if (needsPerson(dead) && !(await unmark(deps, held))) return;
    if (!(await suspect(deps.store, id, dead))) return;
    return writeConnectionEvent(
      deps.store.db,
      id,
      "rotation_failed",
      `${words}. GitLab has replaced the token all the same, and its successor is lost: reconnect with a new one`,
    );
  }
  if (await unmark(deps, held)) await writeConnectionEvent(deps.store.db, id, "rotation_failed", words);
}

/** A token that a person gave meanwhile is never written over. */
async function keep(
  { store, vault }: RotateDeps,
  { id, base_url, mark }: Held,
  { token, expiresAt }: Rotated,
): Promise<void> {
  const sealed = vault.seal(token, tokenPlace(id, base_url));
  const isKept = await retry({ attempts: STORE_ATTEMPTS, baseMs: 250, maxMs: 8000 }, () =>
    store.transaction(async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable("connection")
        .set({
          token: sealed,
          token_expires_at: expiresAt,
          rotated_at: sql`now()`,
          rotating_at: null,
          warned_days: null,
          suspect_at: sql`now()`,
        })
        .where("id", "=", id)
        .where("rotating_at", "=", sql<Date>`${mark}::timestamptz`)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return isStored(tx, id, sealed);
      await writeConnectionEvent(
        tx,
        id,
        "rotated",
        `The token was replaced; its successor ${expiresAt === null ? "does not expire" : `lives until ${expiresAt}`}`,
      );
      await store.notify("connection", id, tx);
      return true;
    }),
  );
  if (isKept) return;
  throw Fault.of("CONFLICT", "", {
    message:
      "The connection got another token, or was removed, while the one before was replaced in GitLab: its successor is used by nobody, revoke it there",
  });
}

/** A transaction whose end was not heard of may have been done all the same. */
async function isStored(tx: Tx, id: string, sealed: Buffer): Promise<boolean> {
  const row = await tx.selectFrom("connection").select("token").where("id", "=", id).executeTakeFirst();
  return row?.token.equals(sealed) ?? false;
}
