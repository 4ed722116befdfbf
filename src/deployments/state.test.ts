import { readFileSync } from "node:fs";
import { join } from "node:path";
import { assert as holds, infiniteStream, nat, property } from "fast-check";
import { expect, test } from "vitest";
import {
  isDeploymentState,
  mayFollow,
  RUNNING_STATES,
  STATES,
  TERMINAL_STATES,
  TRANSITIONS,
} from "./state.ts";

const migration = readFileSync(join(import.meta.dirname, "../store/migrations/0001-spine.ts"), "utf8");

function statesOfCheck(pattern: RegExp): string[] {
  const found = pattern.exec(migration)?.[1] ?? "";
  return [...found.matchAll(/'(\w+)'/g)].map((match) => match[1]!);
}

test("the check constraint in SQL lists exactly the states of the table", () => {
  const inSql = statesOfCheck(/state text not null default 'queued' check \(state in\s*\(([^)]*)\)/);
  expect(inSql.sort()).toEqual([...STATES].sort());
});

test("the index that allows one running deployment lists exactly the running states", () => {
  const inSql = statesOfCheck(/deployment_one_running[^(]*\(environment_id\)\s*where state in \(([^)]*)\)/);
  expect(inSql.sort()).toEqual([...RUNNING_STATES].sort());
});

test("every target of a transition is a state, and the terminal ones are those without a way out", () => {
  for (const [from, targets] of Object.entries(TRANSITIONS)) {
    for (const to of Object.keys(targets)) expect([from, isDeploymentState(to)]).toEqual([from, true]);
  }
  expect(TERMINAL_STATES).toEqual(["live", "failed", "cancelled", "superseded"]);
});

test("after the switch there is only forward", () => {
  expect(STATES.filter((to) => mayFollow("draining", to))).toEqual(["live"]);
});

test("any walk along the table ends, and never leaves a terminal state", () => {
  holds(
    property(infiniteStream(nat()), (choices) => {
      let state: (typeof STATES)[number] = "queued";
      let requeued = 0;
      for (const choice of choices) {
        const next = STATES.filter((to) => mayFollow(state, to) && !(to === "queued" && requeued > 3));
        if (next.length === 0) break;
        state = next[choice % next.length]!;
        if (state === "queued") requeued++;
      }
      expect(TERMINAL_STATES).toContain(state);
    }),
  );
});
