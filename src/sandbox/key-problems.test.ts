import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { judgeKey } from "./key-problems.ts";
import { createState, type State } from "./state.ts";
import { parseVersion } from "./versions.ts";

function field(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** An RSA key as ssh-keygen writes it. */
function rsa(bits: number): string {
  const { n = "", e = "" } = generateKeyPairSync("rsa", { modulusLength: bits }).publicKey.export({
    format: "jwk",
  });
  const number = (text: string) => Buffer.concat([Buffer.alloc(1), Buffer.from(text, "base64url")]);
  const blob = [field(Buffer.from("ssh-rsa")), field(Buffer.from(e, "base64url")), field(number(n))];
  return `ssh-rsa ${Buffer.concat(blob).toString("base64")} me@here`;
}

function judge(state: State, key: string, version = "18.9.0"): unknown {
  const given = { title: "x", key, expiresAt: null };
  const verdict = judgeKey({ state, version: parseVersion(version) }, given, "deploy_key.");
  return "problems" in verdict ? verdict.problems : "good";
}

const ED25519 = `ssh-ed25519 ${Buffer.concat([field(Buffer.from("ssh-ed25519")), field(Buffer.alloc(32, 7))]).toString("base64")}`;

test("restrictions of types and lengths are told in GitLab's words", () => {
  const state = createState({ now: () => 0 });
  const [short, long] = [rsa(2048), rsa(3072)];
  state.otherSettings.set("rsa_key_restriction", 3072);
  expect(judge(state, short)).toEqual({ "deploy_key.key": ["must be at least 3072 bits"] });
  expect(judge(state, long)).toBe("good");
  state.otherSettings.set("rsa_key_restriction", -1);
  expect(judge(state, long)).toEqual({
    "deploy_key.key": ["type is forbidden. Must be DSA, ECDSA, ECDSA_SK, ED25519, or ED25519_SK"],
  });
  expect(judge(state, ED25519)).toBe("good");
});

test.each([
  ["18.9.0", "fingerprint_sha256"],
  ["13.12.0", "fingerprint"],
])("%s: garbage has no %s", (version, name) => {
  const state = createState({ now: () => 0 });
  expect(judge(state, "garbage", version)).toEqual({
    "deploy_key.key": ["is invalid"],
    [`deploy_key.${name}`]: ["cannot be generated"],
  });
  expect(judge(state, "ssh-rsa AAAA", version)).toEqual({ [`deploy_key.${name}`]: ["cannot be generated"] });
});
