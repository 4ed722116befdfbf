import { createHmac, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { signatureHeaders, signingKey } from "./signing.ts";

test("a signing token is whsec_ and exactly 32 bytes", () => {
  const key = randomBytes(32);
  expect(signingKey(`whsec_${key.toString("base64")}`)).toEqual(key);
  for (const bytes of [0, 31, 33])
    expect(signingKey(`whsec_${randomBytes(bytes).toString("base64")}`)).toBeNull();
  expect(signingKey(key.toString("base64"))).toBeNull();
  expect(signingKey(`whsec_${key.toString("base64url")}`)).toBeNull();
  expect(signingKey(`whsec_${key.toString("base64")}\n`)).toBeNull();
});

test("the signature is Standard Webhooks' over id, time and body", () => {
  const key = randomBytes(32);
  const headers = signatureHeaders(key, "msg-1", 1700000000, '{"a":1}');
  const expected = createHmac("sha256", key).update('msg-1.1700000000.{"a":1}').digest("base64");
  expect(headers).toEqual({
    "webhook-id": "msg-1",
    "webhook-timestamp": "1700000000",
    "webhook-signature": `v1,${expected}`,
  });
});
