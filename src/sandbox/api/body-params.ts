import type { z } from "zod";
import { validate } from "../params.ts";
import { badRequest } from "../reply.ts";
import type { Call } from "../route.ts";

/**
 * Parameters of the endpoints that write files. From 18.x on GitLab reads these bodies itself, after it has asked for the role, and its
 * complaints look different: `400 Bad request - branch is required` instead of Grape's `{"error":"branch is missing"}`.
 */
export function parseBody<Shape extends z.ZodRawShape>(
  call: Call,
  shape: Shape,
  required: readonly (keyof Shape & string)[],
): z.output<z.ZodObject<Shape>> {
  const given = { ...call.input, ...call.path };
  if (call.box.version.has("fileBodiesReadByGitLab")) {
    const missing = required.find((name) => given[name] === undefined || given[name] === null);
    if (missing !== undefined) throw badRequest(`${missing} is required`);
  }
  return validate(shape, given, []);
}
