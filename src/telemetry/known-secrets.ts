import { redactor } from "../kernel/redact.ts";
import type { Secret } from "../kernel/secret.ts";

/** Every secret this process has met, so that no sink prints one: filled where secrets are opened, read by the log. */
export interface KnownSecrets {
  /** From now on the value and its usual encodings are cut out. May be repeated. */
  learn(secret: Secret): void;
  readonly redact: (text: string) => string;
}

/** Rebuilt at the first text after a new secret: meant for tens of secrets (tokens), not for a key of every app. */
export function createKnownSecrets(): KnownSecrets {
  const values = new Map<string, Secret>();
  let redact: ((text: string) => string) | null = null;
  return {
    learn: (secret) => {
      if (values.has(secret.reveal())) return;
      values.set(secret.reveal(), secret);
      redact = null;
    },
    redact: (text) => {
      redact ??= redactor(values.values());
      return redact(text);
    },
  };
}
