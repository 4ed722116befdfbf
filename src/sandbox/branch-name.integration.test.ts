import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isBranchName } from "./names.ts";

function gitTakes(name: string): boolean {
  try {
    execFileSync("git", ["check-ref-format", "--branch", name], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

test("names of branches are judged as git judges them", () => {
  const hostile = [
    "-x",
    "--upload-pack=x",
    "a..b",
    "@",
    "a@{1",
    ".a",
    "a/.b",
    "a.lock",
    "a//b",
    "/a",
    "a/",
    "a.",
    "a b",
    "a~",
    "a^",
    "a:b",
    "a?b",
    "a*",
    "a[b",
    "a\\b",
    "ä",
    "feature/x",
    "HEAD",
  ];
  for (const name of hostile) expect([name, isBranchName(name)]).toEqual([name, gitTakes(name)]);
  const letters = fc.string({
    unit: fc.constantFrom("a", ".", "/", "@", "{", "-", "~", "lock", " ", "\\"),
    minLength: 1,
    maxLength: 8,
  });
  // `@{-1}` is a name to git because it stands for another branch: here it is none.
  fc.assert(
    fc.property(
      letters.filter((name) => !name.includes("@{")),
      (name) => isBranchName(name) === gitTakes(name),
    ),
    { numRuns: 60 },
  );
});
