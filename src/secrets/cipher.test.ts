import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Secret } from "../kernel/secret.ts";
import { open, seal, versionOf } from "./cipher.ts";
import { newKey } from "./key.ts";
import type { Place } from "./vault.ts";

const key = newKey(1);
const place: Place = { table: "connection", row: "con_1", column: "token", origin: "https://git.acme.lan" };
const wrong = { code: "KEY_UNUSABLE", reason: "wrong" };

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return null;
}

const places = fc.record(
  {
    table: fc.constantFrom("connection" as const, "linked_project" as const, "app" as const),
    row: fc.string(),
    column: fc.string(),
    origin: fc.string(),
  },
  { requiredKeys: ["table", "row", "column"] },
);

test("what is sealed opens at its place, whatever it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), places, (text, where) => {
      expect(open([key], seal(key, new Secret(text), where), where).reveal()).toBe(text);
    }),
  );
});

test("it opens nowhere else", () => {
  fc.assert(
    fc.property(places, places, (here, there) => {
      fc.pre(
        JSON.stringify([here.table, here.row, here.column, here.origin]) !==
          JSON.stringify([there.table, there.row, there.column, there.origin]),
      );
      const sealed = seal(key, new Secret("glpat-1"), here);
      expect(() => open([key], sealed, there)).toThrow(expect.objectContaining(wrong));
    }),
  );
});

test("words that move between the parts of a place make another place", () => {
  const sealed = seal(key, new Secret("glpat-1"), { table: "app", row: "ab", column: "c" });
  for (const other of [
    { table: "app", row: "a", column: "bc" },
    { table: "app", row: 'ab","c', column: "" },
    { table: "app", row: "ab", column: "c", origin: "" },
  ] as const) {
    expect(() => open([key], sealed, other)).toThrow(expect.objectContaining(wrong));
  }
});

test("every single flipped bit is noticed", () => {
  const sealed = seal(key, new Secret("glpat-1"), place);
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(() => open([key], changed, place), `bit ${bit}`).toThrow(expect.objectContaining(wrong));
  }
});

test("truncated, lengthened and foreign bytes are refused", () => {
  const sealed = seal(key, new Secret("glpat-1"), place);
  for (let length = 0; length < sealed.length; length++) {
    expect(() => open([key], sealed.subarray(0, length), place)).toThrow(expect.objectContaining(wrong));
  }
  expect(() => open([key], Buffer.concat([sealed, Buffer.alloc(1)]), place)).toThrow(
    expect.objectContaining(wrong),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(() => open([key], Buffer.from(bytes), place)).toThrow(expect.objectContaining(wrong));
    }),
  );
});

test("another key, and the same key under another version, do not open it", () => {
  const sealed = seal(key, new Secret("glpat-1"), place);
  expect(() => open([newKey(1)], sealed, place)).toThrow(expect.objectContaining(wrong));
  expect(() => open([{ ...key, version: 2 }], sealed, place)).toThrow(expect.objectContaining(wrong));
  const relabelled = Buffer.from(sealed);
  relabelled.writeUInt16BE(2, 1);
  expect(() => open([{ ...key, version: 2 }], relabelled, place)).toThrow(expect.objectContaining(wrong));
});

test("the same secret never looks the same, and never shows", () => {
  const secret = new Secret("glpat-0123456789");
  const seen = new Set(Array.from({ length: 100 }, () => seal(key, secret, place).toString("hex")));
  expect(seen.size).toBe(100);
  expect([...seen].some((hex) => hex.includes(Buffer.from("glpat").toString("hex")))).toBe(false);
});

test("a refusal names the place and never the content", () => {
  const sealed = seal(key, new Secret("glpat-0123456789"), place);
  const other = { version: 1, bytes: randomBytes(32) };
  const refusal = thrownBy(() => open([other], sealed, place));
  expect(JSON.stringify(refusal) + String(refusal)).not.toContain("glpat");
  expect(refusal).toMatchObject({ evidence: { table: "connection", row: "con_1", column: "token" } });
});

test("a ciphertext says its key's version", () => {
  expect(versionOf(seal(newKey(513), new Secret(""), place))).toBe(513);
  expect(versionOf(Buffer.alloc(0))).toBeNull();
  expect(versionOf(Buffer.from([9, 0, 1]))).toBeNull();
});
