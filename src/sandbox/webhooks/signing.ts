import { createHmac } from "node:crypto";

const FORM = /^whsec_([A-Za-z0-9+/]{43}=)$/;

/** The 32 bytes behind `whsec_`; null when the token has another form. */
export function signingKey(token: string): Buffer | null {
  const encoded = FORM.exec(token)?.[1];
  if (encoded === undefined) return null;
  const key = Buffer.from(encoded, "base64");
  return key.length === 32 && key.toString("base64") === encoded ? key : null;
}

/** Headers of Standard Webhooks, as GitLab sends them from 19.0 on. `timestamp` in seconds. */
export function signatureHeaders(
  key: Buffer,
  id: string,
  timestamp: number,
  body: string,
): Record<string, string> {
  const digest = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": String(timestamp), "webhook-signature": `v1,${digest}` };
}
