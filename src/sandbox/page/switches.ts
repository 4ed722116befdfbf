import { z } from "zod";
import { knobValue, listKnobs, nested, type KnobRow } from "../control/knob-rows.ts";
import type { Knobs } from "../control/knobs.ts";
import { html, type Html } from "./html.ts";

/** The knobs that the page offers to switch, of all that there are. */
const COMMON = [
  "faults.front.answer",
  "faults.front.times",
  "faults.latencyMs",
  "faults.maintenance",
  "faults.readOnly",
  "faults.webhooks.lose",
  "faults.webhooks.duplicate",
  "faults.webhooks.outOfOrder",
  "faults.webhooks.hold",
  "faults.webhooks.delayMs",
  "settings.silentMode",
  "settings.allowLocalRequests",
];

const SWITCHES: readonly KnobRow[] = listKnobs().filter(({ name }) => COMMON.includes(name));

export function switchForm(knobs: Knobs): Html {
  const fields = SWITCHES.map((row) => field(row, knobValue(knobs, row.name)));
  return html`<form method="post" action="page">
    <input type="hidden" name="do" value="knobs" />
    <div class="fields">${fields}</div>
    <p><button>Set these knobs</button></p>
  </form> `;
}

function field({ name, about, values }: KnobRow, value: unknown): Html {
  const note = html`<span class="note" id="about-${name}">${about}</span>`;
  if (values === "true, false") {
    const checked = value === true ? html` checked` : "";
    return html`<p>
      <label
        ><input type="checkbox" name="${name}" value="true" aria-describedby="about-${name}" ${checked} />
        ${name}</label
      >${note}
    </p> `;
  }
  if (!values.includes(" to ")) {
    const options = values
      .split(", ")
      .map((one) => html`<option${one === value ? html` selected` : ""}>${one}</option>`);
    return html`<p>
      <label
        >${name}
        <select name="${name}" aria-describedby="about-${name}">
          ${options}
        </select></label
      >${note}
    </p> `;
  }
  const shown = value === null ? "" : JSON.stringify(value);
  return html`<p>
    <label
      >${name}
      <input
        name="${name}"
        value="${shown}"
        inputmode="numeric"
        size="8"
        aria-describedby="about-${name}" /></label
    >${note}
  </p> `;
}

/** What the form says, as knobs to set: a box that is not ticked says nothing, and an empty number is null. */
export function switchesOf(form: URLSearchParams): readonly Record<string, unknown>[] {
  return SWITCHES.map(({ name, values }) => nested(name, valueOf(form.get(name), values)));
}

function valueOf(text: string | null, values: string): unknown {
  if (values === "true, false") return text === "true";
  if (!values.includes(" to ")) return text;
  if (text === null || text.trim() === "") return null;
  return z.coerce.number().catch(Number.NaN).parse(text);
}

/** Knobs that are not as at the start, for the page. */
export function changedKnobs(knobs: Knobs, start: Knobs): readonly (readonly [string, string])[] {
  return listKnobs().flatMap(({ name }) => {
    const [now, before] = [knobs, start].map((one) => JSON.stringify(knobValue(one, name)));
    return now === undefined || now === before ? [] : [[name, now]];
  });
}
