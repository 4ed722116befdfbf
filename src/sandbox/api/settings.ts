import type { z } from "zod";
import { KNOBS } from "../control/knobs.ts";
import { validate } from "../params.ts";
import { forbidden, ok, refuse, refuseAsError } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import { NEEDED_BY, SETTING_ROWS, type SettingRow } from "./setting-rows.ts";

const path = "/application/settings";

/** The scope is checked first, then who asks. */
const administered = (call: Call): void => {
  if (!call.authenticate().admin) throw forbidden();
};

function rowsOf({ box }: Call): SettingRow[] {
  return SETTING_ROWS.filter(({ since }) => since === undefined || box.version.has(since));
}

function toldRows(call: Call): SettingRow[] {
  return rowsOf(call).filter(({ until }) => until === undefined || !call.box.version.has(until));
}

function valueOf(call: Call, { name, ours, initial }: SettingRow): unknown {
  const { settings, otherSettings } = call.box.state;
  if (ours !== undefined) return settings[ours];
  return otherSettings.has(name) ? otherSettings.get(name) : initial;
}

function entity(call: Call): Record<string, unknown> {
  const rows = toldRows(call).map((row) => [row.name, valueOf(call, row)] as const);
  const { createdAt } = call.box.seed.root;
  return { id: 1, ...Object.fromEntries(rows), created_at: createdAt, updated_at: createdAt };
}

/** Takes what the version knows and ignores the rest, as GitLab does. */
function update(call: Call): ReturnType<typeof ok> {
  const rows = rowsOf(call);
  const shape: z.ZodRawShape = Object.fromEntries(rows.map(({ name, type }) => [name, type.optional()]));
  const given = Object.entries(validate(shape, call.input, Object.keys(shape)));
  for (const [name, value] of given) checkCompanion(call, name, value);
  const { settings, otherSettings } = call.box.state;
  for (const [name, value] of given) {
    const ours = rows.find((row) => row.name === name)?.ours;
    if (ours === undefined) otherSettings.set(name, value);
    else {
      const changed = KNOBS.shape.settings.safeParse({ ...settings, [ours]: value });
      if (!changed.success) throw refuse(400, { [name]: ["is invalid"] });
      Object.assign(settings, changed.data);
    }
  }
  return ok(entity(call));
}

function checkCompanion(call: Call, name: string, value: unknown): void {
  const needed = NEEDED_BY[name];
  if (value === true && needed !== undefined && call.input[needed] === undefined) {
    throw refuseAsError(400, `${needed} is missing`);
  }
}

export const settingRoutes: readonly Route[] = [
  route({
    method: "GET",
    path,
    before: administered,
    params: {},
    handle: (call) => ok(entity(call)),
  }),
  route({ method: "PUT", path, before: administered, params: {}, handle: update }),
];
