import { listKnobs } from "./knob-rows.ts";

/** The knobs for `fairlead sandbox --help`. */
export function renderKnobHelp(): string {
  const rows = listKnobs().map(({ name, values, about }) => `  ${name}\n      ${about} (${values})`);
  return rows.join("\n");
}
