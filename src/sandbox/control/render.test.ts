import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseScenario } from "./scenario.ts";
import { renderActions, renderAnswers, renderKnobs } from "./render.ts";

const document = readFileSync(join(import.meta.dirname, "../../../docs/sandbox.md"), "utf8");

test.each([
  ["knobs", renderKnobs()],
  ["answers", renderAnswers()],
  ["actions", renderActions()],
])("docs/sandbox.md has the table of %s as the code has it", (_name, table) => {
  expect(document).toContain(`\n${table}\n`);
});

test("the scenario of docs/sandbox.md is a good one", () => {
  const example = /```json\n([^]*?)```/.exec(document)?.[1] ?? "";
  expect(parseScenario(example).steps).toHaveLength(5);
});
