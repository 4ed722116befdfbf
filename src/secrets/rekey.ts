import { Fault } from "../faults/fault.ts";
import type { Store } from "../store/store.ts";
import { findKeys, fingerprintOf, newKey, writeKeys } from "./key.ts";
import type { RunningVault } from "./open-vault.ts";
import { findRegistered, getRegisteredKey, lockKey, registerKey } from "./registered-key.ts";
import { reseal } from "./sealed-columns.ts";

export interface RekeyOptions {
  readonly keyFile: string;
  /**
   * The vault of the server that runs. Given, the old key stays in the file until the next start, because somebody may be about to write what it
   * encrypted. Without it no server may run: the old key is removed at once.
   */
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
 * at any moment leaves a file that opens everything; the next start tidies it. Throws `KEY_UNUSABLE` when the present key is.
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
  if (options.vault) options.vault.useKeys(keys, next);
  else await writeKeys(options.keyFile, [next]);
  return { version: next.version, fingerprint: fingerprintOf(next), count };
}
