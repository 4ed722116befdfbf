import { expect, test } from "vitest";
import { match, type Candidate, type SeenHead } from "./match.ts";
import { isNullSha, readPushFacts } from "./payload.ts";

const production: Candidate = {
  environmentId: "env_1",
  app: "shop",
  environment: "production",
  branch: "main",
  wantedCommit: "a".repeat(40),
  removing: false,
};
const seen: SeenHead = {
  branch: "main",
  head: { commit: "b".repeat(40), message: "Fix" },
  skipRequested: false,
};
const decide = (candidate: Partial<Candidate>, push: Partial<SeenHead> = {}): [boolean, string] => {
  const [outcome] = match([{ ...production, ...candidate }], { ...seen, ...push });
  return [outcome!.deploys, outcome!.reason];
};

test("a new head of the branch it follows deploys", () => {
  expect(decide({})).toEqual([true, expect.stringContaining("follows main")]);
  expect(decide({ wantedCommit: null })[0]).toBe(true);
});

test.each<[string, Partial<Candidate>, Partial<SeenHead>, string]>([
  ["another branch", { branch: "dev" }, {}, "follows branch dev, not main"],
  ["branches differ by case", { branch: "Main" }, {}, "follows branch Main"],
  ["a longer branch of the same beginning", { branch: "mai" }, {}, "follows branch mai"],
  ["gone", {}, { head: null }, "does not exist"],
  ["the same head", { wantedCommit: "b".repeat(40) }, {}, "bbbbbbbb is the one it was last told"],
  ["being unlinked", { removing: true }, {}, "unlinked"],
  ["push option", {}, { skipRequested: true }, "push option"],
  ...["[skip ci]", "[ci skip]", "[skip deploy]", "[Deploy Skip]", "[skip-ci]"].map(
    (mark): [string, Partial<Candidate>, Partial<SeenHead>, string] => [
      mark,
      {},
      { head: { commit: "b".repeat(40), message: `Release\n\n${mark}` } },
      mark,
    ],
  ),
])("no: %s, and the reason says so", (_name, candidate, push, words) => {
  const [deploys, reason] = decide(candidate, push);
  expect(deploys).toBe(false);
  expect(reason).toContain(words);
});

test.each(["skip ci", "[skip ci]x".replace("ci", "c i"), "[skipci]", "do not [skip"])(
  "%j is no mark",
  (message) => {
    expect(decide({}, { head: { commit: "b".repeat(40), message } })[0]).toBe(true);
  },
);

test("every candidate has an outcome, in order", () => {
  const outcomes = match(
    [production, { ...production, environmentId: "env_2", app: "admin", branch: "dev" }],
    seen,
  );
  expect(outcomes.map(({ environmentId, label, deploys }) => [environmentId, label, deploys])).toEqual([
    ["env_1", "shop/production", true],
    ["env_2", "admin/production", false],
  ]);
  expect(match([], seen)).toEqual([]);
});

test.each<[unknown, boolean]>([
  [{ ci: { skip: true } }, true],
  [{ deploy: { skip: "true" } }, true],
  [{ deploy: { skip: false } }, false],
  [{ deploy: {} }, false],
  [{}, false],
  [[], false],
  ["ci.skip", false],
  [null, false],
  [JSON.parse('{"__proto__": {"ci": {"skip": true}}}'), false],
  [{ ci: "skip" }, false],
])("push options %j ask to be skipped: %j", (push_options, skip) => {
  expect(readPushFacts({ ref: "refs/heads/x", push_options }).skipRequested).toBe(skip);
});

test.each([null, 1, "x", [], {}, { ref: 1 }, { ref: "refs/tags/v1" }, { ref: "refs/heads/".slice(0, 5) }])(
  "a stored payload %j is no branch and no crash",
  (payload) => expect(readPushFacts(payload).branch).toBeNull(),
);

test("branch names keep their slashes", () => {
  expect(readPushFacts({ ref: "refs/heads/refs/heads/x" }).branch).toBe("refs/heads/x");
});

test.each([
  ["0".repeat(40), true],
  ["0".repeat(64), true],
  ["", false],
  ["00a", false],
])("%s is a null sha: %j", (text, is) => {
  expect(isNullSha(text)).toBe(is);
});
