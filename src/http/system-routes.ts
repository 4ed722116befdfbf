import type { FastifyInstance } from "fastify";
import type { ServerOptions } from "./server.ts";
import { guardToken } from "./guard.ts";

/** Pages for machines. Open to everybody, so they say no more than that it lives; the counts need the token. */
export function mountSystem(
  app: FastifyInstance,
  { health, metrics, tokens }: Pick<ServerOptions, "health" | "metrics" | "tokens">,
): void {
  app.get("/healthz", { schema: { hide: true } }, async () => ({ ok: true }));
  app.get("/readyz", { schema: { hide: true } }, async (_request, reply) => {
    const readiness = await health.readiness();
    return reply.code(readiness.ready ? 200 : 503).send(readiness);
  });
  app.get("/api/openapi.json", { schema: { hide: true } }, async () => app.swagger());
  void app.register(async (guarded) => {
    guardToken(guarded, tokens);
    guarded.get("/metrics", { schema: { hide: true } }, async (_request, reply) => {
      const { contentType, body } = await metrics.render();
      return reply.header("content-type", contentType).send(body);
    });
  });
}
