import type { z } from "zod";
import { Fault } from "../faults/fault.ts";
import { readRequestId } from "./answer.ts";
import type { Success } from "./transport.ts";

/** The answer's body by its schema. Throws `NOT_GITLAB` (not_json) naming the fields that do not fit: never their values. */
export function parseAs<T>(schema: z.ZodType<T>, success: Success, pathTemplate: string): T {
  const parsed = schema.safeParse(success.json);
  if (parsed.success) return parsed.data;
  const words = parsed.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join(".") || "answer"}: ${issue.message}`)
    .join("; ");
  const requestId = readRequestId(success.headers);
  throw Fault.of("NOT_GITLAB", "not_json", {
    evidence: {
      pathTemplate,
      status: success.status,
      words,
      ...(requestId === undefined ? {} : { requestId }),
    },
  });
}
