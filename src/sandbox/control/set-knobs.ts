import { z } from "zod";
import { initialKnobs, KNOBS, type Knobs } from "./knobs.ts";

/** What is wrong with knobs or parameters that were given, each with the name of its place. */
export class InvalidInput extends RangeError {
  override readonly name = "InvalidInput";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("; "));
    this.problems = problems;
  }
}

/** Changes the knobs that are given and leaves the others. Nothing is changed when anything is wrong. Throws `InvalidInput`. */
export function changeKnobs(knobs: Knobs, given: unknown): void {
  assign(knobs, checkKnobs(given, knobs));
}

/** Sets all knobs: those that are not given go back to where they were at the start. Throws `InvalidInput`. */
export function replaceKnobs(knobs: Knobs, given: unknown, start: Knobs = initialKnobs()): void {
  assign(knobs, checkKnobs(given, start));
}

/** `base` with what is given laid over it. Throws `InvalidInput` with every problem at once. */
export function checkKnobs(given: unknown, { faults, settings }: Knobs = initialKnobs()): Knobs {
  const result = KNOBS.safeParse(laidOver({ faults, settings }, given, KNOBS));
  if (!result.success) throw new InvalidInput(problemsOf(result.error, "", "knob"));
  return result.data;
}

/** Words for people: `faults.latencyMs: …`. `kind` is what an unknown name is not. */
export function problemsOf(error: z.ZodError, prefix: string, kind: string): string[] {
  return error.issues.flatMap((issue) => {
    const place = [...(prefix === "" ? [] : [prefix]), ...issue.path.map(String)];
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => `${[...place, key].join(".")}: there is no such ${kind}`);
    }
    // Of a name that is wrong its own problems say more than that it is.
    const words =
      issue.code === "invalid_key" ? issue.issues.map(({ message }) => message).join(", ") : issue.message;
    return [`${place.join(".") || "body"}: ${words.replace(/^Invalid (input|option): /, "")}`];
  });
}

/** Groups are merged, values replaced. What is no object where a group belongs stays as it is, to be refused by the schema. */
function laidOver(base: unknown, given: unknown, schema: z.ZodType): unknown {
  if (!(schema instanceof z.ZodObject) || !isRecord(given) || !isRecord(base)) return given;
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(given)) {
    const inner: unknown = Object.hasOwn(schema.shape, name) ? schema.shape[name] : null;
    const below = inner instanceof z.ZodObject ? laidOver(base[name], value, inner) : value;
    Object.defineProperty(merged, name, {
      value: below,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return merged;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The objects stay the same: whoever holds `sandbox.faults` sees the change. */
function assign(
  target: Record<string, unknown>,
  next: Readonly<Record<string, unknown>>,
  group: z.ZodObject = KNOBS,
): void {
  for (const [name, value] of Object.entries(next)) {
    const inner: unknown = group.shape[name];
    const held = target[name];
    if (inner instanceof z.ZodObject && isRecord(held) && isRecord(value)) assign(held, value, inner);
    else target[name] = value;
  }
}
