import { sql } from "kysely";
import { Fault, toFault } from "../faults/fault.ts";
import type { GitLab } from "../gitlab/gitlab.ts";
import type { RotateRequest, Rotated } from "../gitlab/rotation.ts";
import type { Clock } from "../kernel/clock.ts";
import { retry } from "../kernel/retry.ts";
import type { Vault } from "../secrets/vault.ts";
import type { Store } from "../store/store.ts";
import { tokenPlace, type Clients } from "./clients.ts";
import { suspect, writeConnectionEvent } from "./trouble.ts";

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
}

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
  let request: RotateRequest;
  try {
    request = await prepare(deps, gitlab, held, days);
  } catch (error) {
    await unmark(deps, id);
    throw error;
  }
  let rotated: Rotated;
  try {
    rotated = await gitlab.rotateToken(request);
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
    .select(["id", "base_url", "version"])
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
    .returning(["id", "base_url", "version"])
    .executeTakeFirst();
  if (held) return held;
  throw Fault.of("CONFLICT", "", {
    message: "The token is being rotated at this moment, or it is not yet known how that ended",
  });
}

async function unmark({ store }: RotateDeps, id: string): Promise<void> {
  await store.db.updateTable("connection").set({ rotating_at: null }).where("id", "=", id).execute();
}

async function prepare(
  { clock }: RotateDeps,
  gitlab: GitLab,
  held: Held,
  days: number,
): Promise<RotateRequest> {
  const token = await gitlab.findToken();
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
async function settle(deps: RotateDeps, gitlab: GitLab, { id }: Held, fault: Fault): Promise<void> {
  const { status } = fault.evidence;
  const refused = status !== undefined && status >= 400 && status < 500;
  const words = `The token could not be rotated: ${fault.message}`;
  try {
    if (!refused) await gitlab.findToken();
  } catch (error) {
    const dead = toFault(error);
    // Not known yet: the mark stays, and the next look asks again.
    if (!(await suspect(deps.store, id, dead))) return;
    await writeConnectionEvent(
      deps.store.db,
      id,
      "rotation_failed",
      `${words}. GitLab has replaced the token all the same, and its successor is lost: reconnect with a new one`,
    );
    return unmark(deps, id);
  }
  await unmark(deps, id);
  await writeConnectionEvent(deps.store.db, id, "rotation_failed", words);
}

async function keep(
  { store, vault }: RotateDeps,
  { id, base_url }: Held,
  { token, expiresAt }: Rotated,
): Promise<void> {
  const sealed = vault.seal(token, tokenPlace(id, base_url));
  await retry({ attempts: STORE_ATTEMPTS, baseMs: 250, maxMs: 8000 }, () =>
    store.transaction(async (tx) => {
      await tx
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
        .execute();
      await writeConnectionEvent(
        tx,
        id,
        "rotated",
        `The token was replaced; its successor ${expiresAt === null ? "does not expire" : `lives until ${expiresAt}`}`,
      );
      await store.notify("connection", id, tx);
    }),
  );
}
