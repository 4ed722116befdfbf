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
export const flag = z.union([
  z.boolean(),
  z.enum(["true", "t", "yes", "1", "on"]).transform(() => true),
  z.enum(["false", "f", "no", "0", "off"]).transform(() => false),
  z.literal(1).transform(() => true),
  z.literal(0).transform(() => false),
]);
export const keyValues = z.array(z.object({ key: z.string(), value: z.string() }));

/** One of the values, or GitLab's `does not have a valid value`. */
export function oneOf<const Values extends readonly string[]>(
  values: Values,
): z.ZodEnum<z.core.util.ToEnum<Values[number]>> {
  return z.enum(values);
}

/**
 * Checks parameters as Grape's validators do. Throws 400 `{"error": "url is missing, name is invalid"}` with all problems in the order of
 * declaration. null counts as absent; unknown parameters are ignored silently, which is how old versions treat new ones.
 */
export function validate<Shape extends z.ZodRawShape>(
  shape: Shape,
  given: Readonly<Record<string, unknown>>,
  needsOneOf: readonly string[],
): z.output<z.ZodObject<Shape>> {
  const present = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== null && value !== undefined),
  );
  const result = z.object(shape).safeParse(present);
  const problems = new Map<string, string>();
  for (const issue of result.error?.issues ?? []) {
    const name = String(issue.path[0] ?? "");
    if (!problems.has(name)) problems.set(name, `${name} ${verdict(issue.code, present[name])}`);
  }
  if (needsOneOf.length > 0 && !needsOneOf.some((name) => name in present)) {
    problems.set("", `${needsOneOf.join(", ")} are missing, at least one parameter must be provided`);
  }
  if (!result.success || problems.size > 0) throw refuseAsError(400, [...problems.values()].join(", "));
  return result.data;
}

function verdict(code: string, value: unknown): string {
  if (value === undefined) return "is missing";
  return code === "invalid_value" ? "does not have a valid value" : "is invalid";
}
