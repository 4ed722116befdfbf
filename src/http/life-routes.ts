import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { Secret } from "../kernel/secret.ts";
import { api } from "./contract.ts";
import { requestSignal } from "./request-signal.ts";
import type { Services } from "./services.ts";

export function mountConnectionLife(
  app: FastifyInstance,
  { connections }: Services,
  closing: AbortSignal,
): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.route({
    ...api.reconnect,
    handler: async (request, reply) => {
      const { params, body } = request;
      const { baseUrl } = await connections.get(params.connection);
      request.gitlab = { baseUrl };
      const wish = { token: new Secret(body.token), accept: body.accept };
      return connections.reconnect(params.connection, wish, requestSignal(reply, closing));
    },
  });
  // Not ended by a client that leaves: the successor would be lost.
  routes.route({
    ...api.rotate,
    handler: async ({ params, body }) => connections.rotate(params.connection, body.days),
  });
  routes.route({
    ...api.setRotation,
    handler: async ({ params, body }) => connections.setRotation(params.connection, body.policy),
  });
  routes.route({
    ...api.listConnectionEvents,
    handler: async ({ params, query }) => ({
      events: await connections.listEvents(params.connection, query.limit),
    }),
  });
}
