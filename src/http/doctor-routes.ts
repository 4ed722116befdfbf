import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { api } from "./contract.ts";
import { requestSignal } from "./request-signal.ts";
import type { Services } from "./services.ts";

export function mountDoctor(app: FastifyInstance, { doctor }: Services, closing: AbortSignal): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.route({
    ...api.doctor,
    handler: async ({ params, body }, reply) =>
      doctor.diagnose(
        params.connection,
        { probe: "probe" in body && body.probe === true },
        requestSignal(reply, closing),
      ),
  });
  routes.route({
    ...api.listRepairs,
    handler: async ({ params }, reply) => ({
      repairs: await doctor.listRepairs(params.connection, requestSignal(reply, closing)),
    }),
  });
  // Not ended by a client that leaves: half a repair helps nobody.
  routes.route({
    ...api.repair,
    handler: async ({ params }) => ({ repaired: await doctor.repair(params.connection, closing) }),
  });
}
