import { z } from "zod";
import { KNOBS, type Knobs } from "./knobs.ts";

/** One knob as documents, `--help` and the page show it. */
export interface KnobRow {
  /** `faults.webhooks.lose` */
  readonly name: string;
  readonly about: string;
  /** `true or false`, `0 to 3600000`, `good, expired` … */
  readonly values: string;
  readonly start: unknown;
  readonly schema: z.ZodType;
}

/** All knobs, in the order of the table. */
export function listKnobs(group: z.ZodObject = KNOBS, prefix = ""): KnobRow[] {
  return Object.entries(group.shape).flatMap(([key, schema]) => {
    const name = prefix + key;
    if (schema instanceof z.ZodObject) return listKnobs(schema, `${name}.`);
    if (!(schema instanceof z.ZodType)) return [];
    const start: unknown = schema.parse(undefined);
    return [{ name, about: schema.description ?? "", values: valuesOf(schema), start, schema }];
  });
}

/** The value of a knob by its dotted name. */
export function knobValue(knobs: Knobs, name: string): unknown {
  let at: unknown = knobs;
  for (const part of name.split("."))
    at = typeof at === "object" && at !== null ? Reflect.get(at, part) : undefined;
  return at;
}

/** `{"faults":{"webhooks":{"lose":true}}}` of `faults.webhooks.lose` and its value. */
export function nested(name: string, value: unknown): Record<string, unknown> {
  const [first = "", ...rest] = name.split(".");
  return { [first]: rest.length === 0 ? value : nested(rest.join("."), value) };
}

/** What a JSON schema allows, in words. */
export function valuesOf(schema: z.ZodType): string {
  return wordsOf(Schema.parse(z.toJSONSchema(schema, { io: "input" })));
}

interface SchemaPart {
  readonly shown?: string | undefined;
  readonly type?: string | readonly string[] | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly anyOf?: readonly SchemaPart[] | undefined;
  readonly items?: SchemaPart | undefined;
  readonly properties?: Readonly<Record<string, SchemaPart>> | undefined;
  readonly additionalProperties?: SchemaPart | boolean | undefined;
}

const Schema: z.ZodType<SchemaPart> = z.object({
  shown: z.string().optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  get anyOf() {
    return z.array(Schema).optional();
  },
  get items() {
    return Schema.optional();
  },
  get properties() {
    return z.record(z.string(), Schema).optional();
  },
  get additionalProperties() {
    return z.union([z.boolean(), Schema]).optional();
  },
});

function wordsOf(part: SchemaPart): string {
  if (part.shown !== undefined) return part.shown;
  if (Array.isArray(part.type))
    return part.type.map((type: string) => wordsOf({ ...part, type })).join(", or ");
  if (part.anyOf) return part.anyOf.map(wordsOf).join(", or ");
  if (part.enum) return part.enum.map(String).join(", ");
  if (part.type === "integer") return `${part.minimum ?? ""} to ${part.maximum ?? ""}`;
  if (part.type === "array") return `a list of: ${wordsOf(part.items ?? {})}`;
  if (part.type === "object") return wordsOfObject(part);
  return WORDS[String(part.type)] ?? "anything";
}

const WORDS: Readonly<Record<string, string>> = { string: "text", boolean: "true, false", null: "null" };

function wordsOfObject({ properties, additionalProperties: values }: SchemaPart): string {
  if (!properties)
    return `an object of names, each with: ${typeof values === "object" ? wordsOf(values) : "anything"}`;
  const parts = Object.entries(properties).map(([name, part]) => `\`${name}\`: ${wordsOf(part)}`);
  return `an object with ${parts.join(" and ")}`;
}
