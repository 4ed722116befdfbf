import { expect, test } from "vitest";
import { initialKnobs } from "./knobs.ts";
import { knobValue, listKnobs, nested } from "./knob-rows.ts";
import { changeKnobs, InvalidInput, replaceKnobs } from "./set-knobs.ts";

function problems(work: () => void): readonly string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof InvalidInput) return error.problems;
    throw error;
  }
  return [];
}

test("a change leaves the rest alone and keeps the objects that others hold", () => {
  const knobs = initialKnobs();
  const { front, webhooks } = knobs.faults;
  changeKnobs(knobs, { faults: { latencyMs: 5, latencyByPath: { "/a": 1 } } });
  changeKnobs(knobs, {
    faults: { front: { answer: "reset", times: 2 }, webhooks: { lose: true }, latencyByPath: { "/b": 2 } },
    settings: { silentMode: true },
  });
  expect([knobs.faults.front === front, knobs.faults.webhooks === webhooks]).toEqual([true, true]);
  expect(front).toMatchObject({ answer: "reset", times: 2, after: 0 });
  expect(knobs.faults).toMatchObject({ latencyMs: 5, latencyByPath: { "/b": 2 } });
  expect([webhooks.lose, knobs.settings.silentMode]).toEqual([true, true]);
  replaceKnobs(knobs, { faults: { latencyMs: 7 } });
  expect(knobs).toEqual({ ...initialKnobs(), faults: { ...initialKnobs().faults, latencyMs: 7 } });
});

test("every problem is told at once and nothing is changed", () => {
  const knobs = initialKnobs();
  const told = problems(() =>
    changeKnobs(knobs, {
      faults: { latencyMs: "5", front: { answer: "nope", wat: 1 }, webhooks: true, maintenance: true },
      settings: { pushEventHooksLimit: -1, externalUrl: "ftp://x" },
      more: {},
    }),
  );
  expect(told).toEqual([
    "faults.latencyMs: expected number, received string",
    expect.stringMatching(/^faults\.front\.answer: expected one of "none"\|/),
    "faults.front.wat: there is no such knob",
    "faults.webhooks: expected object, received boolean",
    "settings.externalUrl: Invalid URL",
    "settings.pushEventHooksLimit: Too small: expected number to be >=0",
    "more: there is no such knob",
  ]);
  expect(knobs).toEqual(initialKnobs());
});

test.each([
  null,
  [],
  "x",
  { faults: null },
  { faults: [] },
  JSON.parse('{"__proto__": {"latencyMs": 1}}'),
  JSON.parse('{"faults": {"constructor": {}, "front": {"__proto__": {"answer": "reset"}}}}'),
])("what is no object of knobs is refused: %j", (given) => {
  const knobs = initialKnobs();
  expect(problems(() => changeKnobs(knobs, given))).not.toEqual([]);
  expect(knobs).toEqual(initialKnobs());
});

test("each knob is found by its name, says what it does, and takes the value it starts with", () => {
  const knobs = initialKnobs();
  for (const { name, about, values, start } of listKnobs()) {
    expect([name, about === "", values === ""]).toEqual([name, false, false]);
    expect(knobValue(knobs, name)).toEqual(start);
    expect(problems(() => changeKnobs(knobs, nested(name, start)))).toEqual([]);
    expect(problems(() => changeKnobs(knobs, nested(name, Symbol("never right"))))).not.toEqual([]);
  }
});

test("addresses that no header can hold are refused", () => {
  const given = {
    faults: { front: { redirectTo: "http://例.example" } },
    settings: { externalUrl: "http://ä.example" },
  };
  expect(problems(() => changeKnobs(initialKnobs(), given)).map((one) => one.split(":")[0])).toEqual([
    "faults.front.redirectTo",
    "settings.externalUrl",
  ]);
});
