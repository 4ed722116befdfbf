import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isNamespacePath, problemsOfName, problemsOfPath, slug } from "./names.ts";

test.each(["shop", "my-shop", "a.b", "shop_2"])("%o is a good path", (path) => {
  expect(problemsOfPath(path, true)).toEqual([]);
});

test.each(["-x", "x.git", "x.atom", "..", ".", "a/b", "a b", "a\0b", "é", "tree", "x-", "../etc"])(
  "%o is no good path",
  (path) => {
    expect(problemsOfPath(path, true)).not.toEqual([]);
  },
);

test.each(["api", "..", "a/b", "-", ".", "x.git", ""])("%o is no namespace", (path) => {
  expect(isNamespacePath(path)).toBe(false);
});

test.each(["<script>", "-shop", "a\nb", ""])("%o is no name", (name) => {
  expect(problemsOfName(name, true)).not.toEqual([]);
});

test("a slug is a good path, unless nothing is left of the name", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (name) => {
      const path = slug(name);
      fc.pre(path !== "" && !/\.(git|atom)$/.test(path));
      expect(problemsOfPath(path, false).filter((problem) => !problem.includes("reserved"))).toEqual([]);
    }),
  );
});
