import { sql } from "kysely";
import { z } from "zod";
import { Fault } from "../faults/fault.ts";
import type { Tx } from "../store/store.ts";
import { fingerprintOf, type Key } from "./key.ts";

const SETTING = "key_fingerprint";

/** Which key the database is encrypted with. */
const Registered = z.object({ version: z.number().int(), fingerprint: z.string() });
type Registered = z.infer<typeof Registered>;

/** Any number of our own; one at a time decides about the key. */
const LOCK = 4_175_001;

export async function lockKey(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(${LOCK})`.execute(tx);
}

export async function findRegistered(tx: Tx): Promise<Registered | null> {
  const row = await tx.selectFrom("setting").select("value").where("key", "=", SETTING).executeTakeFirst();
  return row === undefined ? null : Registered.parse(row.value);
}

export async function registerKey(tx: Tx, key: Key): Promise<void> {
  const value = JSON.stringify({ version: key.version, fingerprint: fingerprintOf(key) });
  await tx
    .insertInto("setting")
    .values({ key: SETTING, value })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ value }))
    .execute();
}

/** The registered key among `keys`. Throws `KEY_UNUSABLE` (wrong) when it is not there. */
export function getRegisteredKey(keys: readonly Key[], registered: Registered, path: string): Key {
  const found = keys.find(
    (key) => key.version === registered.version && fingerprintOf(key) === registered.fingerprint,
  );
  if (found) return found;
  throw Fault.of("KEY_UNUSABLE", "wrong", {
    message: `the key in ${path} is not the one this database is encrypted with (fingerprint ${registered.fingerprint}). Put the right key file there.`,
    evidence: {
      path,
      expected: registered.fingerprint,
      found: keys.map((key) => fingerprintOf(key)).join(", "),
    },
  });
}
