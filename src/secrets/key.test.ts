import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fingerprintOf, formatKeys, newKey, parseKeys } from "./key.ts";

const wrong = expect.objectContaining({ code: "KEY_UNUSABLE", reason: "wrong" });

test("keys survive being written", () => {
  const keys = [newKey(1), newKey(2), newKey(65_535)];
  expect(parseKeys(formatKeys(keys), "k")).toEqual(keys);
});

test("a bare base64 line is version 1, with or without its line end", () => {
  const { bytes } = newKey(1);
  expect(parseKeys(bytes.toString("base64"), "k")).toEqual([{ version: 1, bytes }]);
  expect(parseKeys(`\n ${bytes.toString("base64")} \r\n`, "k")).toEqual([{ version: 1, bytes }]);
});

test.for([
  ["an empty file", ""],
  ["only a comment", "# key\n"],
  ["31 bytes", Buffer.alloc(31).toString("base64")],
  ["33 bytes", Buffer.alloc(33).toString("base64")],
  ["hexadecimal", "a".repeat(64)],
  ["base64 with a cut end", Buffer.alloc(32, 7).toString("base64").slice(0, -1)],
  ["version 0", `0 ${Buffer.alloc(32).toString("base64")}`],
  ["a version too large", `65536 ${Buffer.alloc(32).toString("base64")}`],
  [
    "one version twice",
    `1 ${Buffer.alloc(32).toString("base64")}\n1 ${Buffer.alloc(32, 1).toString("base64")}`,
  ],
  ["a private key", "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----"],
  ["a good line and rubbish", `1 ${Buffer.alloc(32).toString("base64")}\nrubbish`],
] as const)("%s is no key", ([, text]) => {
  expect(() => parseKeys(text, "k")).toThrow(wrong);
});

test("rubbish never crashes and never shows", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(text.trim().length > 3);
      let refusal: unknown;
      try {
        parseKeys(text, "k");
      } catch (error) {
        refusal = error;
      }
      expect(refusal).toEqual(wrong);
      expect(String(refusal)).not.toContain(text);
    }),
  );
});

test("fingerprints tell keys apart and do not depend on the version", () => {
  const key = newKey(1);
  expect(fingerprintOf(key)).toMatch(/^[0-9a-f]{16}$/u);
  expect(fingerprintOf({ ...key, version: 2 })).toBe(fingerprintOf(key));
  expect(fingerprintOf(newKey(1))).not.toBe(fingerprintOf(key));
});
