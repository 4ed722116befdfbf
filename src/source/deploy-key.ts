import { generateKeyPairSync, randomBytes } from "node:crypto";
import { z } from "zod";
import { Secret } from "../kernel/secret.ts";

const KEY_TYPE = "ssh-ed25519";
/** OpenSSH reads a comment to the end of its line; GitLab shows it. */
const LONGEST_COMMENT = 200;

const Jwk = z.object({ x: z.string(), d: z.string() });

export interface DeployKeyPair {
  /** `ssh-ed25519 AAAA… comment`, as GitLab and `authorized_keys` take it. */
  readonly publicKey: string;
  /** OpenSSH's own format, without a passphrase. */
  readonly privateKey: Secret;
}

/** A new ed25519 key. What would break out of the comment's line is replaced. */
export function createDeployKey(comment: string): DeployKeyPair {
  const { privateKey } = generateKeyPairSync("ed25519");
  const jwk = Jwk.parse(privateKey.export({ format: "jwk" }));
  const publicBytes = Buffer.from(jwk.x, "base64url");
  const seed = Buffer.from(jwk.d, "base64url");
  const label = oneLine(comment);
  const publicBlob = Buffer.concat([packed(KEY_TYPE), packed(publicBytes)]);
  return {
    publicKey: `${KEY_TYPE} ${publicBlob.toString("base64")} ${label}`.trim(),
    privateKey: new Secret(armour(privateBlob(publicBytes, seed, publicBlob, label))),
  };
}

function oneLine(comment: string): string {
  return comment
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .slice(0, LONGEST_COMMENT)
    .toWellFormed()
    .trim();
}

/** OpenSSH's PROTOCOL.key: magic, cipher, kdf, kdf options, number of keys, public part, private part padded to eight bytes. */
function privateBlob(publicBytes: Buffer, seed: Buffer, publicBlob: Buffer, comment: string): Buffer {
  const check = randomBytes(4);
  const secretPart = Buffer.concat([
    check,
    check,
    packed(KEY_TYPE),
    packed(publicBytes),
    packed(Buffer.concat([seed, publicBytes])),
    packed(comment),
  ]);
  const padding = Buffer.from(Array.from({ length: -secretPart.length & 7 }, (_, index) => index + 1));
  const oneKey = Buffer.from([0, 0, 0, 1]);
  return Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    packed("none"),
    packed("none"),
    packed(""),
    oneKey,
    packed(publicBlob),
    packed(Buffer.concat([secretPart, padding])),
  ]);
}

/** The wire's string: four bytes of length, then the bytes. */
function packed(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function armour(blob: Buffer): string {
  const lines = blob.toString("base64").match(/.{1,70}/g) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join(
    "\n",
  );
}
