import { createHash } from "node:crypto";

export interface PublicKey {
  /** MD5, hex in pairs. */
  readonly fingerprint: string;
  /** `SHA256:` and base64 without padding, as `ssh-keygen -l` prints it. */
  readonly fingerprintSha256: string;
}

const TYPES = new Set([
  "ssh-ed25519",
  "ssh-rsa",
  "ssh-dss",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
]);

/** Reads `type base64 [comment]`; null when it is no OpenSSH public key. */
export function parsePublicKey(words: string): PublicKey | null {
  const [type = "", encoded = ""] = words.trim().split(/\s+/, 2);
  if (!TYPES.has(type) || words.length > 5000 || /[\r\n]/.test(words.trim())) return null;
  if (!/^[A-Za-z0-9+/]{40,}={0,2}$/.test(encoded)) return null;
  const blob = Buffer.from(encoded, "base64");
  if (blob.length < 4 || blob.readUInt32BE(0) !== type.length) return null;
  if (blob.subarray(4, 4 + type.length).toString("latin1") !== type) return null;
  const md5 = createHash("md5").update(blob).digest("hex");
  const sha256 = createHash("sha256").update(blob).digest("base64").replace(/=+$/, "");
  return { fingerprint: md5.replace(/(..)(?!$)/g, "$1:"), fingerprintSha256: `SHA256:${sha256}` };
}
