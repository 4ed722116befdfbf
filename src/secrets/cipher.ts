import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { Fault } from "../faults/fault.ts";
import { Secret } from "../kernel/secret.ts";
import type { Key } from "./key.ts";
import type { Place } from "./vault.ts";

/** Layout of a ciphertext: format (1 byte), key version (2), nonce (12), encrypted text, tag (16). */
const FORMAT = 1;
const HEADER = 3;
const NONCE = 12;
const TAG = 16;

/** AES-256-GCM with a random nonce: 2^32 values under one key stay below a chance of 2^-32 that a nonce repeats. */
export function seal(key: Key, secret: Secret, place: Place): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt8(FORMAT, 0);
  header.writeUInt16BE(key.version, 1);
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv("aes-256-gcm", key.bytes, nonce, { authTagLength: TAG });
  cipher.setAAD(authenticated(header, place));
  const text = Buffer.concat([cipher.update(secret.reveal(), "utf8"), cipher.final()]);
  return Buffer.concat([header, nonce, text, cipher.getAuthTag()]);
}

/** Throws `KEY_UNUSABLE` (wrong) for another key, another place, and anything that `seal` did not write. */
export function open(keys: readonly Key[], ciphertext: Buffer, place: Place): Secret {
  const key = keys.find((candidate) => candidate.version === versionOf(ciphertext));
  if (key === undefined || ciphertext.length < HEADER + NONCE + TAG) throw unreadable(place);
  const end = ciphertext.length - TAG;
  const decipher = createDecipheriv("aes-256-gcm", key.bytes, ciphertext.subarray(HEADER, HEADER + NONCE), {
    authTagLength: TAG,
  });
  decipher.setAAD(authenticated(ciphertext.subarray(0, HEADER), place));
  decipher.setAuthTag(ciphertext.subarray(end));
  try {
    const text = [decipher.update(ciphertext.subarray(HEADER + NONCE, end)), decipher.final()];
    return new Secret(Buffer.concat(text).toString("utf8"));
  } catch {
    throw unreadable(place);
  }
}

/** The version of the key that a ciphertext was made with; null when it is none of ours. */
export function versionOf(ciphertext: Buffer): number | null {
  if (ciphertext.length < HEADER || ciphertext.readUInt8(0) !== FORMAT) return null;
  return ciphertext.readUInt16BE(1);
}

/** JSON of a list of strings: no two places give the same bytes. */
function authenticated(header: Buffer, place: Place): Buffer {
  const words = JSON.stringify([place.table, place.row, place.column, place.origin ?? null]);
  return Buffer.concat([header, Buffer.from(words, "utf8")]);
}

function unreadable(place: Place): Fault {
  return Fault.of("KEY_UNUSABLE", "wrong", {
    message: `the stored ${place.table}.${place.column} cannot be decrypted: it was made with another key, for another place, or was changed`,
    evidence: { table: place.table, row: place.row, column: place.column },
  });
}
