import { assert, property, stringMatching } from "fast-check";
import { expect, test } from "vitest";
import { matchesWildcard, parseExpression } from "./patterns.ts";

test.each([
  ["main", "main", true],
  ["main", "maintenance", false],
  ["", "", true],
  ["", "main", false],
  ["*", "", true],
  ["release/*", "release/1/2", true],
  ["release/*", "my-release/1", false],
  ["*-stable", "18-stable", true],
  ["*-stable", "18-stable-2", false],
  ["a*a", "a", false],
  ["a*a", "aa", true],
  ["a*b*a", "aba", true],
  ["a*ba*a", "aba", false],
  ["a.b", "axb", false],
  ["a*\n", "a\nb\n", true],
])("%o on %o: %s", (pattern, text, expected) => {
  expect(matchesWildcard(pattern, text)).toBe(expected);
});

test("a star means what `.*` means in an expression", () => {
  const piece = stringMatching(/^[ab*]{0,8}$/);
  assert(
    property(piece, stringMatching(/^[ab]{0,10}$/), (pattern, text) => {
      const expected = new RegExp(`^${pattern.replaceAll("*", ".*")}$`, "s").test(text);
      expect(matchesWildcard(pattern, text)).toBe(expected);
    }),
  );
});

test("hostile patterns take no time to speak of", () => {
  const started = performance.now();
  expect(matchesWildcard(`${"*a".repeat(60)}*b`, "a".repeat(5000))).toBe(false);
  const search = parseExpression("(a+)+$");
  for (let n = 0; n < 1000; n++) expect(search?.(`${"a".repeat(5000)}b`)).toBe(false);
  expect(performance.now() - started).toBeLessThan(2000);
});

test.each([
  ["^v\\d+$", "v12", true],
  ["^v\\d+$", "xv12", false],
  ["a", "bab", true],
])("expression %o on %o: %s", (expression, text, expected) => {
  expect(parseExpression(expression)?.(text)).toBe(expected);
});

test.each(["(", "[z-a]", "a**"])("%o is no expression", (expression) => {
  expect(parseExpression(expression)).toBeNull();
});
