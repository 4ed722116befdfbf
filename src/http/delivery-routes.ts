import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { api } from "./contract.ts";
import type { Services } from "./services.ts";

export function mountDeliveries(app: FastifyInstance, { pushes }: Services): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  routes.route({
    ...api.listDeliveries,
    handler: async ({ params, query }) => ({ deliveries: await pushes.list(params.app, query.limit) }),
  });
  routes.route({ ...api.getDelivery, handler: async ({ params }) => pushes.get(params.delivery) });
  routes.route({
    ...api.replay,
    handler: async ({ params }, reply) => {
      const delivery = await pushes.replay(params.delivery);
      reply.code(202);
      return delivery;
    },
  });
}
