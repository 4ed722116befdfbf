import { isKeyTaken } from "./keys.ts";
import { parsePublicKey, type PublicKey } from "./public-key.ts";
import type { State } from "./state.ts";
import type { Version } from "./versions.ts";

export interface NewKey {
  readonly title: string;
  readonly key: string;
  readonly expiresAt: string | null;
}

type Problems = Readonly<Record<string, readonly string[]>>;

/** What GitLab's model has against a new key, field by field; the parsed key when nothing is. `prefix` is `deploy_key.` in projects. */
export function judgeKey(
  box: { readonly state: State; readonly version: Version },
  given: NewKey,
  prefix: string,
): { readonly key: PublicKey } | { readonly problems: Problems } {
  const parsed = parsePublicKey(given.key);
  const fingerprint = box.version.has("deployKeySha256") ? "fingerprint_sha256" : "fingerprint";
  const taken = parsed !== null && isKeyTaken(box.state, parsed.fingerprintSha256);
  const found: Problems = {
    [`${prefix}title`]: titleProblems(given.title),
    [`${prefix}key`]: keyProblems(box.state, given, parsed),
    [`${prefix}${fingerprint}`]: [
      ...(parsed === null ? ["cannot be generated"] : []),
      ...(taken ? ["has already been taken"] : []),
    ],
  };
  const problems = Object.fromEntries(Object.entries(found).filter(([, words]) => words.length > 0));
  return parsed !== null && Object.keys(problems).length === 0 ? { key: parsed } : { problems };
}

export function titleProblems(title: string): string[] {
  if (title.trim() === "") return ["can't be blank"];
  return title.length > 255 ? ["is too long (maximum is 255 characters)"] : [];
}

function keyProblems(state: State, given: NewKey, parsed: PublicKey | null): string[] {
  const supported = /^(ssh-|ecdsa-|sk-)/.test(given.key.trim());
  const expired = given.expiresAt !== null && Date.parse(given.expiresAt) <= state.clock.now();
  return [
    ...(given.key.length > 5000 ? ["is too long (maximum is 5000 characters)"] : []),
    ...(supported ? [] : ["is invalid"]),
    ...(parsed === null ? [] : restrictionProblems(state, given.key)),
    ...(expired ? ["has expired"] : []),
  ];
}

const FAMILIES = ["dsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "rsa"] as const;
type Family = (typeof FAMILIES)[number];

/** An administrator's `rsa_key_restriction` and the like: -1 forbids the type, 0 takes any, more is the least number of bits. */
function restrictionProblems(state: State, words: string): string[] {
  const family = familyOf(words);
  const limit = restriction(state, family);
  if (limit < 0) return [`type is forbidden. Must be ${allowedTypes(state)}`];
  return limit > 0 && bitsOf(words, family) < limit ? [`must be at least ${limit} bits`] : [];
}

function restriction(state: State, family: Family): number {
  const value = state.otherSettings.get(`${family}_key_restriction`);
  return typeof value === "number" ? value : 0;
}

function allowedTypes(state: State): string {
  const allowed = FAMILIES.filter((family) => restriction(state, family) >= 0).map((name) =>
    name.toUpperCase(),
  );
  return new Intl.ListFormat("en-US", { type: "disjunction" }).format(allowed);
}

function familyOf(words: string): Family {
  const type = words.trim().split(/\s+/)[0] ?? "";
  if (type.startsWith("sk-")) return type.includes("ed25519") ? "ed25519_sk" : "ecdsa_sk";
  if (type.startsWith("ecdsa")) return "ecdsa";
  if (type === "ssh-rsa") return "rsa";
  return type === "ssh-dss" ? "dsa" : "ed25519";
}

/** Of RSA the length of the modulus, the third field of the blob; of the others what their name says. */
function bitsOf(words: string, family: Family): number {
  if (family === "dsa") return 1024;
  const curve = /nistp(\d+)/.exec(words)?.[1];
  if (family !== "rsa") return curve === undefined ? 256 : Number(curve);
  const blob = Buffer.from(words.trim().split(/\s+/)[1] ?? "", "base64");
  const exponentAt = 4 + blob.readUInt32BE(0);
  const modulusAt = exponentAt + 4 + blob.readUInt32BE(exponentAt);
  const modulus = blob.subarray(modulusAt + 4, modulusAt + 4 + blob.readUInt32BE(modulusAt));
  const first = modulus.findIndex((byte) => byte !== 0);
  return first === -1 ? 0 : (modulus.length - first) * 8 - Math.clz32(modulus[first] ?? 0) + 24;
}
