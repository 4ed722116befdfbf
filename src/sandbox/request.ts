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

/** Form and query parameters; `a[]=1&a[]=2` is a list, `a[b]=1` an object, of a repeated name the last counts. */
export function parametersOf(search: URLSearchParams): Record<string, unknown> {
  const parameters: Record<string, unknown> = {};
  for (const name of new Set(search.keys())) {
    const values = search.getAll(name);
    const [, object, key] = /^([^[\]]+)\[([^[\]]+)\]$/.exec(name) ?? [];
    if (name.endsWith("[]")) parameters[name.slice(0, -2)] = values;
    else if (object !== undefined && key !== undefined) {
      parameters[object] = { ...Object(parameters[object]), [key]: values.at(-1) };
    } else parameters[name] = values.at(-1);
  }
  return parameters;
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
