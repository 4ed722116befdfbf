import type { IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { Fault } from "../faults/fault.ts";
import type { Pushes } from "../pushes/pushes.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { readBody } from "./read-body.ts";

interface Hook {
  Params: { hook: string };
}

/** GitLab sends at most 25 MB. */
const MAX_BODY = 26 * 1024 * 1024;

/**
 * Step 1 of the walk of a push: take the body as it came, let `pushes` verify and store it, and answer. GitLab shows the answer to
 * people and never sends a delivery again, so it is answered only after it is stored.
 */
export function mountWebhooks(
  app: FastifyInstance,
  pushes: Pick<Pushes, "knows" | "accept">,
  metrics: Metrics,
): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", async (_request: unknown, body: IncomingMessage) => readBody(body, MAX_BODY));
  // The signature is over the bytes, whatever they are called.
  app.addHook("onRequest", async (request) => void delete request.headers["content-type"]);

  const unknownHook = (): Fault => Fault.of("NOT_FOUND", "", { message: "There is no such hook here." });
  // Before the body comes: 26 MB are held in memory only for those who know a hook's secret path.
  const refuseStrangers = async (request: FastifyRequest<Hook>): Promise<void> => {
    if (await pushes.knows(request.params.hook)) return;
    metrics.countWebhook("unknown_hook");
    throw unknownHook();
  };

  app.post<Hook>(
    "/hooks/gitlab/:hook",
    { schema: { hide: true }, onRequest: refuseStrangers },
    async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const answer = await pushes.accept({
        hookPath: request.params.hook,
        headers: onlyText(request.headers),
        body,
      });
      metrics.countWebhook(answer.kind);
      switch (answer.kind) {
        case "accepted":
          return reply.code(202).send({ accepted: true, id: answer.deliveryId });
        case "ignored":
          return {
            accepted: false,
            reason: answer.reason,
            ...(answer.deliveryId && { id: answer.deliveryId }),
          };
        case "refused":
          metrics.countBadSecret();
          throw Fault.of("UNAUTHORIZED", "bad_secret");
        case "unknown_hook":
          throw unknownHook();
        case "malformed":
          throw Fault.of("BAD_REQUEST", "invalid", { message: answer.reason });
      }
    },
  );
}

function onlyText(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
  );
}
