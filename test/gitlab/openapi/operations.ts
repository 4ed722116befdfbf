import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GITLAB } from "../facts/fact.ts";

interface Schema {
  readonly type?: string;
  readonly enum?: readonly (string | number)[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

interface Operation {
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema?: Schema;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> };
}

/** One parameter of one operation, as GitLab's OpenAPI declares it. */
export interface Parameter {
  /** `GET /projects/:id/hooks`. */
  readonly endpoint: string;
  readonly name: string;
  readonly place: "query" | "body";
  readonly type: "integer" | "boolean" | "enum" | "other";
  readonly values: readonly (string | number)[];
  readonly isRequired: boolean;
}

/**
 * All of them but those of paths, of lists and of objects, whose coercion the document does not tell, of HEAD, which is GET, and `file`, which
 * GitLab's own proxy puts in.
 */
export function readParameters(): readonly Parameter[] {
  const document: { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> } =
    JSON.parse(readFileSync(join(GITLAB, "openapi-subset.json"), "utf8"));
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, operation]) => {
      if (method === "head") return [];
      const endpoint = `${method.toUpperCase()} ${path.replace("/api/v4", "").replaceAll(/\{(\w+)\}/g, ":$1")}`;
      return [...inQuery(endpoint, operation), ...inBody(endpoint, operation)];
    }),
  );
}

function inQuery(endpoint: string, operation: Operation): readonly Parameter[] {
  return (operation.parameters ?? [])
    .filter((parameter) => parameter.in === "query" && !parameter.name.includes("["))
    .map((parameter) => ({
      endpoint,
      name: parameter.name,
      place: "query",
      ...kindOf(parameter.schema ?? {}),
      isRequired: parameter.required === true,
    }));
}

function inBody(endpoint: string, operation: Operation): readonly Parameter[] {
  const schema = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
  const properties = Object.entries(schema?.properties ?? {}).filter(([name]) => name !== "file");
  return properties.map(([name, own]) => ({
    endpoint,
    name,
    place: "body",
    ...kindOf(own),
    isRequired: schema?.required?.includes(name) === true,
  }));
}

function kindOf(schema: Schema): Pick<Parameter, "type" | "values"> {
  if (schema.type === "string" && schema.enum) return { type: "enum", values: schema.enum };
  if (schema.enum) return { type: "integer", values: schema.enum };
  if (schema.type === "integer" || schema.type === "boolean") return { type: schema.type, values: [] };
  return { type: "other", values: [] };
}
