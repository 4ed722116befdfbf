import { ANSWERS } from "../front/answer-names.ts";
import { listActions } from "./actions.ts";
import { listKnobs } from "./knob-rows.ts";

/** The table of knobs in docs/sandbox.md. */
export function renderKnobs(): string {
  const rows = listKnobs().map(
    ({ name, values, start, about }) =>
      `| \`${name}\` | ${cell(values)} | \`${JSON.stringify(start)}\` | ${cell(about)} |`,
  );
  return ["| knob | values | at the start | what it does |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

/** The table of the values of `faults.front.answer` in docs/sandbox.md. */
export function renderAnswers(): string {
  const rows = Object.entries(ANSWERS).map(([name, about]) => `| \`${name}\` | ${cell(about)} |`);
  return ["| answer | what a client sees |", "| --- | --- |", ...rows].join("\n");
}

/** The table of actions in docs/sandbox.md. */
export function renderActions(): string {
  const rows = listActions().map(({ name, about, params }) => {
    const words = params.map((one) => `\`${one.name}\`${one.required ? "" : "?"}: ${cell(one.values)}`);
    return `| \`${name}\` | ${cell(about)} | ${words.join("<br>")} |`;
  });
  return ["| action | what it does | parameters |", "| --- | --- | --- |", ...rows].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
