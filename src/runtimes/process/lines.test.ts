import * as fc from "fast-check";
import { expect, it } from "vitest";
import { splitLines } from "./lines.ts";

function linesOf(chunks: readonly Uint8Array[]): string[] {
  const lines: string[] = [];
  const splitter = splitLines((line) => lines.push(line));
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return lines;
}

it("gives the same lines however the bytes are cut", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.string({ unit: "grapheme", maxLength: 80 }).map((text) => Buffer.from(`${text}\r\n${text}\n`)),
  );
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(200)), (all, cuts) => {
      const at = [0, ...cuts.map((cut) => Math.min(cut, all.length)).toSorted((a, b) => a - b), all.length];
      const chunks = at.slice(1).map((end, i) => all.subarray(at[i], end));
      expect(linesOf(chunks)).toEqual(linesOf([all]));
    }),
  );
});

it("never gives NUL or half a character, and keeps empty lines", () => {
  expect(linesOf([Buffer.from("a\n\nb\0c\r\n"), Buffer.from([0xc3]), Buffer.from([0xa4, 0xff])])).toEqual([
    "a",
    "",
    "b\uFFFDc",
    "ä\uFFFD",
  ]);
});

it("cuts lines over 64 KiB, with or without an end, and loses nothing", () => {
  const long = "x".repeat(200_000);
  for (const text of [`${long}\nend\n`, long]) {
    const lines = linesOf([Buffer.from(text)]);
    expect(Math.max(...lines.map((line) => line.length))).toBe(65_536);
    expect(lines.join("")).toBe(text.replaceAll("\n", ""));
  }
});
