import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Fault, toFault } from "../faults/fault.ts";
import { toProblem } from "../faults/problem.ts";
import type { Logger } from "../telemetry/log.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The GitLab that a request is about, for links into it in what goes wrong. */
    gitlab: { readonly baseUrl: string } | null;
  }
}

/** Every error leaves as problem+json (RFC 9457) with code, reason, fix and evidence. */
export function answerWithProblems(app: FastifyInstance, log: Logger): void {
  app.decorateRequest("gitlab", null);
  app.setErrorHandler((error, request, reply) => sendProblem(classify(error), request, reply, log));
  app.setNotFoundHandler((request, reply) => {
    const fault = Fault.of("NOT_FOUND", "", { message: `There is no ${request.method} at this address.` });
    return sendProblem(fault, request, reply, log);
  });
}

function sendProblem(fault: Fault, request: FastifyRequest, reply: FastifyReply, log: Logger): FastifyReply {
  const problem = toProblem(fault, { requestId: request.id, ...request.gitlab });
  const level = fault.is("INTERNAL") ? "error" : "warn";
  if (problem.status >= 500) log[level]({ requestId: request.id, error: fault }, "A request failed");
  if (problem.status === 503) reply.header("retry-after", "5");
  // Closing while the sender still sends resets the connection and loses the answer (measured: 5 of 5); kept open, Node drops the rest.
  if (problem.status === 413) reply.removeHeader("connection");
  // Serialised here: an error must not depend on the answer's schema.
  return reply
    .code(problem.status)
    .header("content-type", "application/problem+json; charset=utf-8")
    .serializer((payload: unknown) => JSON.stringify(payload))
    .send(problem);
}

/** What Fastify throws before a handler runs, as Faults. An unforeseen error's own words go to the log, not over the wire. */
function classify(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const where = error.validationContext ?? "request";
    const facts = error.validation.map(({ instancePath, message }) => [
      `${where}${instancePath}`,
      message ?? "is not right",
    ]);
    return Fault.of("BAD_REQUEST", "invalid", {
      message: "The request is not what this address expects.",
      evidence: Object.fromEntries(facts),
    });
  }
  switch (statusOf(error)) {
    case 413:
      return Fault.of("TOO_LARGE", "", { cause: error });
    case 400:
      return Fault.of("BAD_REQUEST", isJsonTrouble(error) ? "malformed_json" : "", { cause: error });
    case 415:
      return Fault.of("BAD_REQUEST", "", {
        message: "The body must be JSON (content-type: application/json).",
        cause: error,
      });
    default:
      return Fault.of("INTERNAL", "", { cause: toFault(error) });
  }
}

function statusOf(error: unknown): number {
  return error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
}

function isJsonTrouble(error: unknown): boolean {
  return (
    error instanceof SyntaxError ||
    (error instanceof Error && "code" in error && /^FST_ERR_CTP_\w*JSON/.test(String(error.code)))
  );
}

/** The same words for an error that comes in the middle of a stream. */
export function describeProblem(error: unknown, request: FastifyRequest): object {
  return toProblem(classify(error), { requestId: request.id });
}
