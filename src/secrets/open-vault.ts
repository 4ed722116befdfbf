import { Fault } from "../faults/fault.ts";
import type { Store, Tx } from "../store/store.ts";
import { open, seal } from "./cipher.ts";
import { ensureKeys, findKeys, writeKeys, type Key } from "./key.ts";
import { findRegistered, getRegisteredKey, lockKey, registerKey } from "./registered-key.ts";
import { listSealedVersions, reseal, verifySealed } from "./sealed-columns.ts";
import type { Vault } from "./vault.ts";

export interface VaultOptions {
  /** Path of the key file; made, with its folder, on the very first start. */
  readonly keyFile: string;
}

/** A vault whose key can be changed while it is in use. */
export interface RunningVault extends Vault {
  /** From now on opens what any of `keys` made too, and seals with `current` unless it has a newer one already. */
  useKeys(keys: readonly Key[], current: Key): void;
}

/**
 * Opens the vault with the key that the database is encrypted with. Makes a key only where nothing was ever encrypted. Throws `KEY_UNUSABLE`:
 * `missing` (no file, but the database has a key), `wrong` (another key), `permissions` (readable by others). Any number of servers may start at
 * once: those without the first one's file are refused.
 */
export async function openVault(store: Store, options: VaultOptions): Promise<RunningVault> {
  const { keys, current } = await store.transaction(async (tx) => {
    await lockKey(tx);
    const keys = await chooseKeys(tx, options.keyFile);
    const registered = await findRegistered(tx);
    const current = registered
      ? getRegisteredKey(keys, registered, options.keyFile)
      : await register(tx, keys);
    if (keys.length > 1) await reseal(tx, keys, current);
    return { keys, current };
  });
  if (keys.length > 1) await removeSpareKeys(store, options.keyFile);
  return createVault([current], current);
}

/**
 * What a rekey left: its old key, kept for writers that were under way, or a new one that never came into use. Apart from the transaction that encrypts
 * anew, which must have ended before, and under the lock: another rekey may have added its key meanwhile.
 */
async function removeSpareKeys(store: Store, path: string): Promise<void> {
  await store.transaction(async (tx) => {
    await lockKey(tx);
    const [keys, registered] = [await findKeys(path), await findRegistered(tx)];
    if (keys === null || registered === null) return;
    const current = getRegisteredKey(keys, registered, path);
    const versions = await listSealedVersions(tx);
    if ([...versions].every((version) => version === current.version)) await writeKeys(path, [current]);
  });
}

async function chooseKeys(tx: Tx, path: string): Promise<Key[]> {
  const found = await findKeys(path);
  if (found) return found;
  if ((await findRegistered(tx)) === null && (await listSealedVersions(tx)).size === 0)
    return ensureKeys(path);
  throw Fault.of("KEY_UNUSABLE", "missing", {
    message: `the key file ${path} is missing, and this database is encrypted. Put back the key file that belongs to it (from a backup, or from the server that made it).`,
    evidence: { path },
  });
}

/** The first start with this database, or one whose settings were lost: then the key must open what is there. */
async function register(tx: Tx, keys: readonly Key[]): Promise<Key> {
  const current = keys.at(-1);
  if (current === undefined) throw new Error("a key file holds at least one key");
  await verifySealed(tx, keys);
  await registerKey(tx, current);
  return current;
}

export function createVault(keys: readonly Key[], current: Key): RunningVault {
  let ring = { keys, current };
  return {
    seal: (secret, place) => seal(ring.current, secret, place),
    open: (ciphertext, place) => open(ring.keys, ciphertext, place),
    useKeys: (more, newer) => {
      const others = ring.keys.filter((key) => more.every((added) => added.version !== key.version));
      const current = newer.version > ring.current.version ? newer : ring.current;
      ring = { keys: [...others, ...more], current };
    },
  };
}
