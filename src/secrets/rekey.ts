import { Fault } from "../faults/fault.ts";
import type { Store } from "../store/store.ts";
import { findKeys, fingerprintOf, newKey, writeKeys } from "./key.ts";
import type { RunningVault } from "./open-vault.ts";
import { findRegistered, getRegisteredKey, lockKey, registerKey } from "./registered-key.ts";
import { reseal } from "./sealed-columns.ts";

export interface RekeyOptions {
  readonly keyFile: string;
  /** The vault of the server that runs in this process: it goes on without a pause. Any other server must be started again. */
  readonly vault?: RunningVault;
}

export interface RekeyResult {
  readonly version: number;
  readonly fingerprint: string;
  /** How many stored secrets were encrypted anew. */
  readonly count: number;
}

/**
 * Makes a new key and encrypts every stored secret with it, in one transaction. Both keys are in the file before the first secret changes, so a crash
 * at any moment leaves a file that opens everything. The old key stays there until the next start, because a server that still runs may be about to
 * write what it encrypted. Throws `KEY_UNUSABLE` when the present key is.
 */
export async function rekey(store: Store, options: RekeyOptions): Promise<RekeyResult> {
  const { next, keys, count } = await store.transaction(async (tx) => {
    await lockKey(tx);
    const present = await findKeys(options.keyFile);
    const registered = await findRegistered(tx);
    if (present === null || registered === null) {
      throw Fault.of("KEY_UNUSABLE", "missing", {
        message: `there is no key in ${options.keyFile} to replace`,
        evidence: { path: options.keyFile },
      });
    }
    const current = getRegisteredKey(present, registered, options.keyFile);
    const next = newKey(Math.max(...present.map((key) => key.version)) + 1);
    const keys = [...present, next];
    await writeKeys(options.keyFile, keys);
    options.vault?.useKeys(keys, current); // readers meet the new ciphertexts as soon as this transaction ends
    const count = await reseal(tx, keys, next);
    await registerKey(tx, next);
    return { next, keys, count };
  });
  options.vault?.useKeys(keys, next);
  return { version: next.version, fingerprint: fingerprintOf(next), count };
}
