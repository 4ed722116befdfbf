import { expect, test } from "vitest";
import { parametersOf } from "./request.ts";

test.each([
  ["a=1&a=2", { a: "2" }],
  ["a[]=1&a[]=2", { a: ["1", "2"] }],
  ["a[b]=1&a[c][d]=2", { a: { b: "1", c: { d: "2" } } }],
  [
    "h[][key]=a&h[][value]=1&h[][key]=b&h[][value]=2",
    {
      h: [
        { key: "a", value: "1" },
        { key: "b", value: "2" },
      ],
    },
  ],
  ["a=1&a[b]=2", { a: { b: "2" } }],
  ["a[=1&[b]=2", { "a[": "1", "[b]": "2" }],
  [
    "__proto__[x]=1&a[__proto__][x]=1&constructor[prototype][x]=1",
    { constructor: { prototype: { x: "1" } } },
  ],
  ["", {}],
] as const)("%s", (query, parameters) => {
  const found = parametersOf(new URLSearchParams(query));
  expect(JSON.stringify(found)).toBe(JSON.stringify(parameters));
  expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
  expect(Object.hasOwn({}, "x") || "x" in {}).toBe(false);
});

test("a name may be deep, but not without end; a long list takes no time", () => {
  expect(() => parametersOf([[`a${"[b]".repeat(33)}`, "1"]])).toThrow("refused with 400");
  const many = Array.from({ length: 200_000 }, (): readonly [string, string] => ["a[]", "1"]);
  const started = performance.now();
  expect(parametersOf(many)["a"]).toHaveLength(200_000);
  expect(performance.now() - started).toBeLessThan(3000);
});
