import { z } from "zod";
import { refuseAsError } from "./reply.ts";

// Parameter types as Grape coerces them: a form or query brings every value as text.

export const text = z.union([z.string(), z.number().transform(String), z.boolean().transform(String)]);
export const integer = z.union([
  z.int(),
  z
    .string()
    .regex(/^-?\d{1,15}$/)
    .transform(Number),
]);
export const number = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+(\.\d+)?$/)
    .transform(Number),
]);
/** The words of dry-types, by which Grape coerces: lower, capital and upper case, but no other mix. python-gitlab sends `True`. */
export const flag = z.union([
  z.boolean(),
  z.enum(spellings("true", "t", "yes", "y", "on", "1")).transform(() => true),
  z.enum(spellings("false", "f", "no", "n", "off", "0")).transform(() => false),
  z.literal(1).transform(() => true),
  z.literal(0).transform(() => false),
]);
function spellings(...words: readonly string[]): readonly string[] {
  return words.flatMap((word) => [word, word.toUpperCase(), word[0]?.toUpperCase() + word.slice(1)]);
}

export const keyValues = z.array(z.object({ key: z.string(), value: z.string() }));

/** One of the values, or GitLab's `does not have a valid value`. */
export function oneOf<const Values extends readonly string[]>(
  values: Values,
): z.ZodEnum<z.core.util.ToEnum<Values[number]>> {
  return z.enum(values);
}

/** `allow_blank: false`. */
export const filled = text.refine((value) => value.trim() !== "", "is empty");

/** A number out of a list. */
export function integerOf(values: readonly number[]): z.ZodType<number> {
  return integer.refine((value) => values.includes(value), "does not have a valid value");
}

/** `Array[String]` that also takes `a,b`. */
export const commaSeparated = z.union([
  z.array(text),
  z.string().transform((value) => value.split(",").map((part) => part.trim())),
]);

/** Ruby's `Date`, told as `YYYY-MM-DD`; it also reads other ways to write a day. */
export const date = dayOr((at) => at.toISOString().slice(0, 10));

/** Ruby's `DateTime`, told as GitLab writes it. */
export const dateTime = dayOr((at) => at.toISOString());

function dayOr(tell: (at: Date) => string): z.ZodType<string> {
  return z
    .string()
    .refine((value) => /\d/.test(value) && !Number.isNaN(Date.parse(value)), "is invalid")
    .transform((value) => tell(new Date(/^\d{4}-\d{1,2}-\d{1,2}$/.test(value) ? `${value}Z` : value)));
}

/** What Grape demands of parameters together. Each list names the parameters of one such rule. */
export interface Rules {
  readonly atLeastOneOf?: readonly (readonly string[])[];
  readonly exactlyOneOf?: readonly (readonly string[])[];
  readonly mutuallyExclusive?: readonly (readonly string[])[];
  readonly allOrNone?: readonly (readonly string[])[];
  /** Checked, but not handed on. */
  readonly ignored?: z.ZodRawShape;
}

/**
 * Checks parameters as Grape's validators do. Throws 400 `{"error": "url is missing, name is invalid"}` with all problems in the order of
 * declaration. null counts as absent; unknown parameters are ignored silently, which is how old versions treat new ones.
 */
export function validate<Shape extends z.ZodRawShape>(
  shape: Shape,
  given: Readonly<Record<string, unknown>>,
  needsOneOf: readonly string[],
  rules: Rules = {},
): z.output<z.ZodObject<Shape>> {
  const declared = { ...rules.ignored, ...shape };
  const present = withoutBlanks(declared, given);
  const result = z.object(shape).safeParse(present);
  const problems = new Map<string, string>();
  for (const issue of z.object(declared).safeParse(present).error?.issues ?? []) {
    const name = nameOf(issue.path);
    if (!problems.has(name)) problems.set(name, verdict(name, issue, declared, present));
  }
  const together = problemsTogether(Object.keys(present), {
    ...rules,
    atLeastOneOf: [...(needsOneOf.length > 0 ? [needsOneOf] : []), ...(rules.atLeastOneOf ?? [])],
  });
  const all = [...problems.values(), ...together];
  if (!result.success || all.length > 0) throw refuseAsError(400, all.join(", "));
  return result.data;
}

/** null is absent, and so is "" for an optional parameter that is no text: Grape makes nil of it. */
function withoutBlanks(
  shape: z.ZodRawShape,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const entries = Object.entries(given).filter(([name, value]) => {
    if (value === null || value === undefined) return false;
    const schema =
      value === "" && Object.hasOwn(shape, name) ? z.object({ value: shape[name] ?? z.any() }) : null;
    if (!schema?.safeParse({}).success) return true;
    const refused = schema.safeParse({ value: "" });
    return refused.success || refused.error.issues.some((issue) => issue.code !== "invalid_union");
  });
  return Object.fromEntries(entries);
}

/** `custom_headers[0][key]` */
function nameOf(path: readonly PropertyKey[]): string {
  const [first = "", ...rest] = path.map(String);
  return first + rest.map((part) => `[${part}]`).join("");
}

function verdict(
  name: string,
  issue: z.core.$ZodIssue,
  shape: z.ZodRawShape,
  present: Readonly<Record<string, unknown>>,
): string {
  const top = String(issue.path[0] ?? "");
  if (valueAt(present, issue.path) === undefined) {
    const blank =
      issue.path.length === 1 ? z.object({ value: shape[top] ?? z.any() }).safeParse({ value: "" }) : null;
    const empty = blank?.error?.issues.some(({ message }) => message === "is empty");
    return empty ? `${name} is missing, ${name} is empty` : `${name} is missing`;
  }
  if (issue.code === "custom") return `${name} ${issue.message}`;
  return issue.code === "invalid_value" ? `${name} does not have a valid value` : `${name} is invalid`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== "object" || at === null) return undefined;
    at = Object.entries(at).find(([name]) => name === String(key))?.[1];
  }
  return at;
}

/** Each group by itself: what is missing, and of those that are there what may not be together. */
function problemsTogether(names: readonly string[], rules: Rules): string[] {
  const those = (group: readonly string[]): string[] => group.filter((name) => names.includes(name));
  const { atLeastOneOf = [], exactlyOneOf = [], mutuallyExclusive = [], allOrNone = [] } = rules;
  const missing = (count: string) => (group: readonly string[]) =>
    those(group).length > 0
      ? []
      : [`${group.join(", ")} are missing, ${count} one parameter must be provided`];
  return [
    ...atLeastOneOf.flatMap(missing("at least")),
    ...exactlyOneOf.flatMap(missing("exactly")),
    ...[...exactlyOneOf, ...mutuallyExclusive]
      .map(those)
      .filter((group) => group.length > 1)
      .map((group) => `${group.join(", ")} are mutually exclusive`),
    ...allOrNone
      .filter((group) => those(group).length > 0 && those(group).length < group.length)
      .map((group) => `${group.join(", ")} provide all or none of parameters`),
  ];
}
