import type { FastifyReply } from "fastify";

/** Aborts when the client is gone before it had its answer, or when the server stops. */
export function requestSignal(reply: FastifyReply, closing: AbortSignal): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) gone.abort(new Error("the client is gone"));
  });
  return AbortSignal.any([gone.signal, closing]);
}
