import { describe, expect, it } from "vitest";
import { hostOf } from "./hosts.ts";

describe("hostOf", () => {
  it.each([
    ["a.test", "a.test"],
    ["A.Test:8080", "a.test"],
    ["a.test.", "a.test"],
    ["a.test.:80", "a.test"],
    ["localhost", "localhost"],
    ["my_app-1.localhost", "my_app-1.localhost"],
    ["127.0.0.1:80", "127.0.0.1"],
    ["[::1]:8080", "[::1]"],
    ["[FE80::1]", "[fe80::1]"],
  ])("reads %s as %s", (text, host) => {
    expect(hostOf(text)).toBe(host);
  });

  it.each([
    "",
    " a.test",
    "a.test ",
    "a..test",
    ".a.test",
    "a.test..",
    "a.test/path",
    "a.test?x",
    "a.test#x",
    "user@a.test",
    "a.test:",
    "a.test:x",
    "a.test:123456",
    "a.test:80:80",
    "a.test, b.test",
    "a.test\tb",
    "::1",
    "[::1",
    "[::1]x",
    "[v1.x]",
    "*.test",
    "ünicode.test",
    "%61.test",
    `${"a".repeat(300)}.test`,
  ])("refuses %j", (text) => {
    expect(hostOf(text)).toBeNull();
  });
});
