import { expect, test } from "vitest";
import { protectionOf } from "./access.ts";
import type { Protection } from "./state.ts";

const nobody: Protection = { pushLevel: 0, allowForcePush: false };
const developers: Protection = { pushLevel: 30, allowForcePush: true };

test.each<[string, Record<string, Protection>, Protection | null]>([
  ["main", { main: nobody }, nobody],
  ["mainline", { main: nobody }, null],
  ["release/1.0", { "release/*": developers }, developers],
  ["release", { "release/*": developers }, null],
  ["a+b", { "a+*": nobody }, nobody],
  ["aab", { "a+*": nobody }, null],
  ["v1.x", { "v1.*": nobody }, nobody],
  ["v1xx", { "v1.*": nobody }, null],
  ["main", { "*": developers, main: nobody }, { pushLevel: 30, allowForcePush: false }],
])("%s under %j", (branch, rules, protection) => {
  expect(protectionOf({ protectedBranches: new Map(Object.entries(rules)) }, branch)).toEqual(protection);
});
