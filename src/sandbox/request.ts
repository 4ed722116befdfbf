import type { IncomingMessage } from "node:http";
import { Refusal, refuseAsError } from "./reply.ts";

/** Larger API bodies are refused: a sandbox takes files of a demonstration, not uploads. */
const BODY_LIMIT = 16 * 1024 * 1024;

/** Reads a body of an API request into parameters. Throws refusals for bodies that GitLab or the proxy before it would not take. */
export async function readParameters(request: IncomingMessage): Promise<Record<string, unknown>> {
  const body = await readBody(request, BODY_LIMIT);
  if (body.length === 0) return {};
  const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "application/x-www-form-urlencoded")
    return parametersOf(new URLSearchParams(body.toString("utf8")));
  if (type === "multipart/form-data") return parseMultipart(body, request.headers["content-type"] ?? "");
  if (type === "application/json") return parseJson(body.toString("utf8"));
  throw refuseAsError(415, `The provided content-type '${type}' is not supported.`);
}

/** Throws a refusal, 413, for more than `limit` bytes. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request) {
    const bytes = Buffer.from(piece);
    size += bytes.length;
    if (size > limit) throw tooLarge();
    pieces.push(bytes);
  }
  return Buffer.concat(pieces);
}

function tooLarge(): Refusal {
  const text =
    "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>413</body>\r\n</html>\r\n";
  return new Refusal({ status: 413, contentType: "text/html", text, headers: { Connection: "close" } });
}

/** Rack refuses deeper names, too. */
const DEEPEST = 32;

/** Form and query parameters as Rack nests them: `a[]=1&a[]=2` is a list, `a[b]=1` an object; of a repeated name the last counts. */
export function parametersOf(search: Iterable<readonly [string, string]>): Record<string, unknown> {
  const parameters: Record<string, unknown> = {};
  for (const [name, value] of search) {
    const match = /^([^[]+)((?:\[[^[\]]*\])*)$/.exec(name);
    const first = match?.[1] ?? name;
    const keys = [...(match?.[2] ?? "").matchAll(/\[([^[\]]*)\]/g)].map(([, key = ""]) => key);
    if (keys.length > DEEPEST) throw refuseAsError(400, "Bad Request");
    if ([first, ...keys].includes("__proto__")) continue;
    parameters[first] = nested(parameters[first], keys, value);
  }
  return parameters;
}

/** Puts the value where the keys lead. An object in a list is begun anew when its key is there already. */
function nested(old: unknown, [key, ...rest]: readonly string[], value: string): unknown {
  if (key === undefined) return value;
  if (key !== "") {
    const entries = isRecord(old) ? old : {};
    entries[key] = nested(entries[key], rest, value);
    return entries;
  }
  const list: unknown[] = Array.isArray(old) ? old : [];
  const last = list.at(-1);
  const [inner] = rest;
  if (inner !== undefined && isRecord(last) && !Object.hasOwn(last, inner)) nested(last, rest, value);
  else list.push(nested(undefined, rest, value));
  return list;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `curl --form`. A file is its text: nothing here takes uploads. */
async function parseMultipart(body: Buffer, contentType: string): Promise<Record<string, unknown>> {
  try {
    const form = await new Response(new Uint8Array(body), {
      headers: { "Content-Type": contentType },
    }).formData();
    const entries = [...form].map(async ([name, value]): Promise<[string, string]> => [
      name,
      typeof value === "string" ? value : await value.text(),
    ]);
    return parametersOf(await Promise.all(entries));
  } catch {
    throw refuseAsError(400, "Invalid multipart body");
  }
}

const MALFORMED =
  "message body does not match declared format: when specifying application/json as content-type, you must pass valid application/json in the request's 'body'";

function parseJson(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuseAsError(400, MALFORMED);
  }
  if (value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw refuseAsError(400, MALFORMED);
  return { ...value };
}
