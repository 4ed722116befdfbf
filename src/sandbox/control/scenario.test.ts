import { expect, test } from "vitest";
import { parseScenario } from "./scenario.ts";
import { InvalidInput } from "./set-knobs.ts";

function problems(text: string): readonly string[] {
  try {
    parseScenario(text);
  } catch (error) {
    if (error instanceof InvalidInput) return error.problems;
    throw error;
  }
  return [];
}

test("every problem of a scenario is told at once", () => {
  const scenario = {
    version: "latest",
    faults: { latencyMs: -1 },
    settings: { wat: 1 },
    steps: [
      { action: "create_user", username: "ok" },
      { action: "create_user", name: "x" },
      { action: "nope" },
      { action: "push", project: 1, branch: "a..b", afterMs: 5 },
    ],
  };
  expect(problems(JSON.stringify(scenario))).toEqual([
    "version: no GitLab version: latest (expected something like 18.9.0)",
    "faults.latencyMs: Too small: expected number to be >=0",
    "settings.wat: there is no such knob",
    "steps.1.username: expected string, received undefined",
    expect.stringMatching(/^steps\.2\.action: there is no action nope; there are create_user, /),
    "steps.3.branch: no name of a branch",
  ]);
});

test.each([
  ["", "no JSON: "],
  ["[]", "body: expected object, received array"],
  ['{"wat": 1}', "wat: there is no such part of a scenario"],
  ['{"steps": [{"afterMs": 1}]}', "steps.0.action: expected string, received undefined"],
  ['{"steps": [{"action": "reset", "afterMs": -1}]}', "steps.0.afterMs: Too small"],
])("%s: %s", (text, words) => {
  expect(problems(text)[0]).toContain(words);
});

test("a good one is taken apart", () => {
  const text =
    '{"tls": true, "steps": [{"action": "push", "project": 1, "afterMs": 5}, {"action": "reset"}]}';
  expect(parseScenario(text)).toEqual({
    tls: true,
    steps: [
      { action: "push", params: { project: 1 }, afterMs: 5 },
      { action: "reset", params: {}, afterMs: null },
    ],
  });
});
