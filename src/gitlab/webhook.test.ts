import { createHmac, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Secret } from "../kernel/secret.ts";
import { findDedupeKey, verifyWebhook, type WebhookCall } from "./webhook.ts";

const key = randomBytes(32);
const body = Buffer.from('{"object_kind":"push"}');
const now = 1_800_000_000_000;
const id = "8a3d5f4e-0001";

function sign(over: { key?: Buffer; id?: string; timestamp?: string; body?: Buffer } = {}) {
  const timestamp = over.timestamp ?? String(now / 1000);
  const content = `${over.id ?? id}.${timestamp}.`;
  const mac = createHmac("sha256", over.key ?? key)
    .update(content)
    .update(over.body ?? body)
    .digest("base64");
  return { "webhook-id": over.id ?? id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${mac}` };
}

function call(headers: Record<string, string>, more: Partial<WebhookCall> = {}): WebhookCall {
  return {
    headers,
    body,
    secret: new Secret("right-secret"),
    signingKey: new Secret(`whsec_${key.toString("base64")}`),
    signed: false,
    now,
    ...more,
  };
}

describe("verifyWebhook", () => {
  test("accepts a right signature, also as one of several, also when a signature was not expected", () => {
    expect(verifyWebhook(call(sign(), { signed: true }))).toEqual({ kind: "verified", by: "signature" });
    expect(verifyWebhook(call(sign()))).toEqual({ kind: "verified", by: "signature" });
    const { "webhook-signature": right, ...rest } = sign();
    const several = { ...rest, "webhook-signature": `v1,AAAA v2,x ${right}` };
    expect(verifyWebhook(call(several, { signed: true }))).toEqual({ kind: "verified", by: "signature" });
  });

  test("accepts the token of a hook that does not sign", () => {
    expect(verifyWebhook(call({ "x-gitlab-token": "right-secret" }))).toEqual({
      kind: "verified",
      by: "token",
    });
  });

  test("a hook that signs is not satisfied by the token", () => {
    const token = { "x-gitlab-token": "right-secret" };
    expect(verifyWebhook(call(token, { signed: true }))).toEqual({
      kind: "refused",
      reason: "no_credential",
    });
    const wrong = { ...token, ...sign({ key: randomBytes(32) }) };
    expect(verifyWebhook(call(wrong, { signed: true }))).toEqual({
      kind: "refused",
      reason: "wrong_signature",
    });
    expect(verifyWebhook(call(wrong))).toEqual({ kind: "refused", reason: "wrong_signature" });
  });

  test.each([
    "",
    "right-secre",
    "right-secrett",
    "RIGHT-SECRET",
    "right-secret, right-secret",
    "\u0000",
    "[secret]",
  ])("refuses the token %j", (token) => {
    expect(verifyWebhook(call({ "x-gitlab-token": token }))).toMatchObject({ kind: "refused" });
  });

  test("an empty secret opens nothing", () => {
    const empty = { secret: new Secret(""), signingKey: new Secret("") };
    expect(verifyWebhook(call({ "x-gitlab-token": "" }, empty))).toMatchObject({ kind: "refused" });
    expect(verifyWebhook(call({}, empty))).toMatchObject({ kind: "refused" });
    const signed = sign({ key: Buffer.alloc(0) });
    expect(verifyWebhook(call(signed, empty))).toMatchObject({ kind: "refused" });
    const bare = { ...empty, signingKey: new Secret("whsec_") };
    expect(verifyWebhook(call(signed, bare))).toMatchObject({ kind: "refused" });
  });

  test.each([
    ["another body", sign({ body: Buffer.from("{}") })],
    ["another id", { ...sign(), "webhook-id": "other-id" }],
    ["another time", { ...sign(), "webhook-timestamp": String(now / 1000 + 1) }],
    ["another version", { ...sign(), "webhook-signature": sign()["webhook-signature"].replace("v1", "v2") }],
    ["no version", { ...sign(), "webhook-signature": sign()["webhook-signature"].slice(3) }],
    ["nothing", { ...sign(), "webhook-signature": "" }],
    ["only a version", { ...sign(), "webhook-signature": "v1," }],
    [
      "more signatures than anybody sends",
      { ...sign(), "webhook-signature": `${"v1,AAAA ".repeat(50)}${sign()["webhook-signature"]}` },
    ],
  ])("refuses a signature over %s", (_, headers) => {
    expect(verifyWebhook(call(headers, { signed: true }))).toEqual({
      kind: "refused",
      reason: "wrong_signature",
    });
  });

  test.each(["webhook-id", "webhook-timestamp"])("refuses a signature without %s", (name) => {
    const headers = Object.fromEntries(Object.entries(sign()).filter(([header]) => header !== name));
    expect(verifyWebhook(call(headers, { signed: true }))).toEqual({
      kind: "refused",
      reason: "wrong_signature",
    });
  });

  test.each([
    [299, "verified"],
    [-299, "verified"],
    [301, "refused"],
    [-301, "refused"],
  ])("a signature made %i s ago is %s", (age, kind) => {
    const headers = sign({ timestamp: String(now / 1000 - age) });
    expect(verifyWebhook(call(headers, { signed: true }))).toMatchObject({ kind });
  });

  test.each(["1e9", "-1", "1800000000.5", " 1800000000", "9".repeat(40), "NaN"])(
    "a signed timestamp %j is stale",
    (timestamp) => {
      expect(verifyWebhook(call(sign({ timestamp }), { signed: true }))).toEqual({
        kind: "refused",
        reason: "stale",
      });
    },
  );
});

describe("findDedupeKey", () => {
  test("prefers what stays the same over a resend", () => {
    const headers = {
      "idempotency-key": "key-00001",
      "x-gitlab-webhook-uuid": "hook-00001",
      "x-gitlab-event-uuid": "event-0001",
    };
    expect(findDedupeKey({ ...headers, "webhook-id": "id-000001" }, body)).toBe("id-000001");
    expect(findDedupeKey(headers, body)).toBe("key-00001");
    expect(findDedupeKey({ "x-gitlab-webhook-uuid": "hook-00001" }, body)).toBe("hook-00001");
  });

  test("an event's id alone is shared by different deliveries: the body belongs to it", () => {
    const headers = { "x-gitlab-event-uuid": "event-0001" };
    expect(findDedupeKey(headers, body)).toBe(findDedupeKey(headers, Buffer.from(body)));
    expect(findDedupeKey(headers, body)).not.toBe(findDedupeKey(headers, Buffer.from("{}")));
  });

  test("nothing, or something nobody would send, is no key", () => {
    expect(findDedupeKey({}, body)).toBeNull();
    expect(findDedupeKey({ "webhook-id": "", "idempotency-key": "x".repeat(300) }, body)).toBeNull();
    expect(findDedupeKey({ "x-gitlab-event-uuid": "with blank" }, body)).toBeNull();
  });
});
