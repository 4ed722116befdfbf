import { randomBytes } from "node:crypto";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

type IdPrefix = "con" | "prj" | "app" | "env" | "dlv" | "dep" | "rel" | "rpl" | "wrk" | "tok" | "req";

/**
 * An identifier such as `dep_06b8k2m1x3c7r9qtz4hn`: 9 characters of time (milliseconds, so that ids sort by creation)
 * and 11 of randomness (55 bits). Safe in URLs, file names, host names and shell words.
 */
export function newId(prefix: IdPrefix, now: number = Date.now()): string {
  let time = "";
  for (let rest = now, i = 0; i < 9; i++) {
    time = ALPHABET.charAt(rest % 32) + time;
    rest = Math.floor(rest / 32);
  }
  const random = Array.from(randomBytes(11), (byte) => ALPHABET.charAt(byte % 32)).join("");
  return `${prefix}_${time}${random}`;
}

/** An unguessable token of `bytes` random bytes, base64url. */
export function randomToken(bytes = 32): string {
  return randomBytes(bytes).toString("base64url");
}
