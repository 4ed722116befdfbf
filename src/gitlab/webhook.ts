import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Secret } from "../kernel/secret.ts";

/** Lower-case names, as Node gives them. */
export type WebhookHeaders = Readonly<Record<string, string | undefined>>;

export interface WebhookCall {
  readonly headers: WebhookHeaders;
  /** The body as it came. */
  readonly body: Uint8Array;
  /** What GitLab sends in `X-Gitlab-Token`. */
  readonly secret: Secret;
  /** `whsec_` and base64 of the key (GitLab 19.0+). */
  readonly signingKey: Secret;
  /** Whether this hook is known to sign: then nothing but a signature is accepted. */
  readonly signed: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export type Verification =
  | { readonly kind: "verified"; readonly by: "signature" | "token" }
  | {
      readonly kind: "refused";
      readonly reason: "no_credential" | "wrong_token" | "wrong_signature" | "stale";
    };

/**
 * Whether a call comes from the GitLab that was given the secrets, in time that does not depend on how much of them was guessed. The signature
 * covers the body, the token does not. A signature that is there must be right, also when it was not expected.
 */
export function verifyWebhook(call: WebhookCall): Verification {
  const signature = call.headers["webhook-signature"];
  if (signature !== undefined) return verifySignature(call, signature);
  if (call.signed) return { kind: "refused", reason: "no_credential" };
  const token = call.headers["x-gitlab-token"];
  const secret = call.secret.reveal();
  if (token === undefined || secret === "") return { kind: "refused", reason: "no_credential" };
  return isSame(Buffer.from(token), Buffer.from(secret))
    ? { kind: "verified", by: "token" }
    : { kind: "refused", reason: "wrong_token" };
}

/** How far GitLab's clock and ours may be apart, and how long a recorded call could be sent again. */
const WINDOW_MS = 5 * 60_000;
/** A sender has one key, during a change of keys two. */
const MAX_SIGNATURES = 10;

/** Standard Webhooks: `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`; several, separated by blanks, while a key is changed. */
function verifySignature(call: WebhookCall, header: string): Verification {
  const id = call.headers["webhook-id"];
  const timestamp = call.headers["webhook-timestamp"];
  const key = readKey(call.signingKey);
  if (id === undefined || timestamp === undefined || !key)
    return { kind: "refused", reason: "wrong_signature" };
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(call.body).digest();
  const given = header.split(" ").slice(0, MAX_SIGNATURES);
  const matches = given.filter(
    (one) => one.startsWith("v1,") && isSame(Buffer.from(one.slice(3), "base64"), expected),
  );
  if (matches.length === 0) return { kind: "refused", reason: "wrong_signature" };
  // Looked at only now: a stale but right signature means that a clock is wrong, which is worth telling.
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(call.now - Number(timestamp) * 1000) > WINDOW_MS) {
    return { kind: "refused", reason: "stale" };
  }
  return { kind: "verified", by: "signature" };
}

function readKey(signingKey: Secret): Buffer | null {
  const text = signingKey.reveal();
  if (!text.startsWith("whsec_")) return null;
  const key = Buffer.from(text.slice("whsec_".length), "base64");
  return key.length >= 24 ? key : null;
}

/** Both sides are hashed first: equal lengths whatever was sent, and no early end that tells how much was right. */
function isSame(given: Uint8Array, expected: Uint8Array): boolean {
  const [one, other] = [given, expected].map((bytes) => createHash("sha256").update(bytes).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}

/**
 * What makes this delivery the same as one seen before, or null when GitLab says nothing (before 14.7). `webhook-id` (19.0) and
 * `Idempotency-Key` (17.4) are one value that stays over resends; `X-Gitlab-Webhook-UUID` (16.2) is one delivery; `X-Gitlab-Event-UUID` (14.7) is shared
 * by everything a hook sets off, so the body belongs to it.
 */
export function findDedupeKey(headers: WebhookHeaders, body: Uint8Array): string | null {
  const own = [headers["webhook-id"], headers["idempotency-key"], headers["x-gitlab-webhook-uuid"]].find(
    isKey,
  );
  if (own !== undefined) return own;
  const event = headers["x-gitlab-event-uuid"];
  if (!isKey(event)) return null;
  return `${event}:${createHash("sha256").update(body).digest("hex").slice(0, 32)}`;
}

function isKey(value: string | undefined): value is string {
  return value !== undefined && /^[\u0021-\u007e]{8,200}$/.test(value);
}
