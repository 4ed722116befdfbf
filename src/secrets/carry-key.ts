import { Fault } from "../faults/fault.ts";
import { Secret } from "../kernel/secret.ts";
import { findKeys, fingerprintOf, formatKeys, parseKeys, writeKeys } from "./key.ts";

/** The key file's text, for a backup that is to hold the key. Throws `KEY_UNUSABLE`. */
export async function exportKeys(path: string): Promise<Secret> {
  const keys = await findKeys(path);
  if (keys !== null) return new Secret(formatKeys(keys));
  throw Fault.of("KEY_UNUSABLE", "missing", { message: `there is no key file ${path}`, evidence: { path } });
}

/** Puts a backup's key in its place. Never over another key: throws `CONFLICT` then; the same key is left as it is. */
export async function importKeys(path: string, text: Secret): Promise<void> {
  const keys = parseKeys(text.reveal(), path);
  const present = await findKeys(path);
  if (present === null) return writeKeys(path, keys);
  const known = new Set(present.map(fingerprintOf));
  if (keys.every((key) => known.has(fingerprintOf(key)))) return;
  throw Fault.of("CONFLICT", "in_use", {
    message: `${path} holds another key already: move it away first, if nothing needs it`,
    evidence: { path },
  });
}
