import { expect, test } from "vitest";
import { filterAdmits } from "./branch-filter.ts";

test.each([
  ["", "wildcard", "main", true],
  ["main", "wildcard", "main", true],
  ["main", "wildcard", "maintenance", false],
  ["release/*", "wildcard", "release/1/2", true],
  ["release/*", "wildcard", "my-release/1", false],
  ["a.b", "wildcard", "axb", false],
  ["*-stable", "wildcard", "18-stable", true],
  ["^v\\d+$", "regex", "v12", true],
  ["^v\\d+$", "regex", "xv12", false],
  ["(", "regex", "main", false],
  ["main", "all_branches", "other", true],
] as const)("filter %o (%s) and branch %s: %s", (branchFilter, branchFilterStrategy, branch, expected) => {
  expect(filterAdmits({ branchFilter, branchFilterStrategy }, branch)).toBe(expected);
});
