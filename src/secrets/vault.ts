import type { Secret } from "../kernel/secret.ts";

/** Where a ciphertext lives. It is part of what is authenticated: a ciphertext moved to another place does not open. */
export interface Place {
  readonly table: "connection" | "linked_project" | "app";
  readonly row: string;
  readonly column: string;
  /** For tokens: the origin they may be sent to, such as `https://git.acme.lan`. */
  readonly origin?: string;
}

/** Encryption at rest: AES-256-GCM, key version in the ciphertext, AAD = place. */
export interface Vault {
  seal(secret: Secret, place: Place): Buffer;
  /** Throws `KEY_UNUSABLE` when the ciphertext was made by another key or for another place. */
  open(ciphertext: Buffer, place: Place): Secret;
}
