import { z } from "zod";
import { action, type Action } from "./action.ts";
import { valuesOf } from "./knob-rows.ts";
import { PEOPLE_ACTIONS } from "./people-actions.ts";
import { PROJECT_ACTIONS } from "./project-actions.ts";
import { changeKnobs, InvalidInput, replaceKnobs } from "./set-knobs.ts";

const WORLD_ACTIONS = {
  deliver_webhooks: action(
    "makes the webhook calls that `faults.webhooks.hold` keeps back",
    { order: z.enum(["made", "reversed"]).optional() },
    ({ webhooks }, { order }) => ({ delivered: webhooks.deliverHeld(order === "reversed") }),
  ),
  drop_webhooks: action("loses the webhook calls that are kept back", {}, ({ webhooks }) => ({
    dropped: webhooks.dropHeld(),
  })),
  set_knobs: action(
    "changes knobs: for steps of a scenario",
    {
      faults: z.record(z.string(), z.unknown()).optional(),
      settings: z.record(z.string(), z.unknown()).optional(),
    },
    ({ state }, { faults = {}, settings = {} }) => {
      changeKnobs(state, { faults, settings });
      return { faults: state.faults, settings: state.settings };
    },
  ),
  reset: action("sets all knobs to the start; what it holds stays", {}, ({ state }) => {
    replaceKnobs(state, {}, state.start);
    state.tokenEnds.clear();
    return { faults: state.faults, settings: state.settings };
  }),
} as const satisfies Record<string, Action>;

/** Every action, in one table: the control, scenarios, the page and docs/sandbox.md are made from it. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  ...PEOPLE_ACTIONS,
  ...PROJECT_ACTIONS,
  ...WORLD_ACTIONS,
};

/** Throws `InvalidInput` for a name that is none. */
export function getAction(name: string): Action {
  const found = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (!found)
    throw new InvalidInput([
      `action: there is no action ${name}; there are ${Object.keys(ACTIONS).join(", ")}`,
    ]);
  return found;
}

export interface ActionRow {
  readonly name: string;
  readonly about: string;
  readonly params: readonly { readonly name: string; readonly values: string; readonly required: boolean }[];
}

export function listActions(): ActionRow[] {
  return Object.entries(ACTIONS).map(([name, { about, params }]) => ({
    name,
    about,
    params: Object.entries(params.shape).flatMap(([key, schema]) =>
      schema instanceof z.ZodType
        ? { name: key, values: valuesOf(schema), required: !schema.safeParse(undefined).success }
        : [],
    ),
  }));
}
