import { expect, test } from "vitest";
import { parseVersion } from "./versions.ts";

test.each([
  ["15.0.0", "tokenSelf", false],
  ["15.4.9", "tokenSelf", false],
  ["15.5.0", "tokenSelf", true],
  ["18.9.0-ee", "hookSigningToken", false],
  ["19.0.0", "hookSigningToken", true],
  ["10.5.8", "readApiScope", false],
  ["12.10.0", "readApiScope", true],
] as const)("%s has %s: %s", (text, feature, expected) => {
  expect(parseVersion(text).has(feature)).toBe(expected);
});

test("a version keeps its suffix and gains its patch level", () => {
  expect(parseVersion("17.5").text).toBe("17.5.0");
  expect(parseVersion("18.9.0-ee").text).toBe("18.9.0-ee");
});

test.each(["", "latest", "18", "18.9.0; rm", "18.9.0-rc1", "1e3.2", "9.5.10", "10.4.7"])(
  "%o is no version",
  (text) => {
    expect(() => parseVersion(text)).toThrow(RangeError);
  },
);
