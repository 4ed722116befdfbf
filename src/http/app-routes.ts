import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { api } from "./contract.ts";
import { sendEvents } from "./event-stream.ts";
import { describeProblem } from "./problems.ts";
import { requestSignal } from "./request-signal.ts";
import type { Services } from "./services.ts";

export function mountApps(app: FastifyInstance, services: Services, closing: AbortSignal): void {
  const { apps, deployments, pushes } = services;
  const routes = app.withTypeProvider<ZodTypeProvider>();

  routes.route({
    ...api.link,
    handler: async ({ body }, reply) => {
      const linked = await apps.link(body, requestSignal(reply, closing));
      reply.code(201);
      return linked;
    },
  });
  routes.route({ ...api.listApps, handler: async () => ({ apps: await apps.list() }) });
  routes.route({ ...api.getApp, handler: async ({ params }) => apps.get(params.app) });
  routes.route({
    ...api.getHook,
    handler: async ({ params }, reply) => {
      const { secret, ...hook } = await apps.getHookByHand(params.app);
      reply.header("cache-control", "no-store");
      return { ...hook, secret: secret.reveal() };
    },
  });
  // Not ended by a client that leaves: half a removal helps nobody.
  routes.route({ ...api.unlink, handler: async ({ params }) => apps.unlink(params.app, closing) });
  routes.route({
    ...api.listEvents,
    handler: async ({ params, query }) => ({ events: await apps.listEvents(params.app, query.limit) }),
  });
  routes.route({ ...api.tryPush, handler: async ({ params, body }) => pushes.dryRun(params.app, body.ref) });
  routes.route({
    ...api.runLogs,
    handler: async (request, reply) => {
      const { name } = await apps.get(request.params.app);
      const signal = requestSignal(reply, closing);
      const { tail, follow } = request.query;
      const lines = numbered(deployments.runLogs(name, { tailLines: tail, follow, signal }));
      return sendEvents(reply, { lines, signal, describe: (error) => describeProblem(error, request) });
    },
  });
}

async function* numbered(
  texts: AsyncIterable<string>,
): AsyncGenerator<{ seq: number; at: null; text: string }> {
  let seq = 0;
  for await (const text of texts) yield { seq: ++seq, at: null, text };
}
