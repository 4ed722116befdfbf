import { expect, test } from "vitest";
import { Fault } from "../faults/fault.ts";
import { defaultConnectionName, parseConnectionName } from "./name.ts";

test.each(["", "con_1", "CON_1", "a/b", "..", "-x", "x-", "x".repeat(64), "a b", "a\nb", "<b>", "é"])(
  "name %j is refused",
  (name) => {
    expect(() => parseConnectionName(name)).toThrow(Fault);
  },
);

test.each(["a", "git.acme.lan", "Work_1", "x".repeat(63)])("name %j is taken as it is", (name) => {
  expect(parseConnectionName(name)).toBe(name);
});

test.each([
  ["https://git.acme.lan/gitlab", "git.acme.lan"],
  ["http://127.0.0.1:8080", "127.0.0.1"],
  ["http://[::1]:8080", "1"],
  ["http://[fe80::1]", "fe80-1"],
  [`http://${"a".repeat(63)}.example`, "gitlab"],
])("the default name for %s is %s, which may be chosen too", (url, name) => {
  expect(defaultConnectionName(url)).toBe(name);
  expect(parseConnectionName(name)).toBe(name);
});
