import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { LogLine } from "../deployments/deployments.ts";
import { api } from "./contract.ts";
import { sendEvents } from "./event-stream.ts";
import { describeProblem } from "./problems.ts";
import { requestSignal } from "./request-signal.ts";
import type { Services } from "./services.ts";

export function mountDeployments(app: FastifyInstance, services: Services, closing: AbortSignal): void {
  const { deployments } = services;
  const routes = app.withTypeProvider<ZodTypeProvider>();

  routes.route({
    ...api.listDeployments,
    handler: async ({ params, query }) => ({ deployments: await deployments.list(params.app, query) }),
  });
  routes.route({
    ...api.deploy,
    handler: async ({ params, body }, reply) => {
      const deployment = await deployments.deploy(params.app, body);
      reply.code(202);
      return deployment;
    },
  });
  routes.route({
    ...api.redeploy,
    handler: async ({ params, body }, reply) => {
      const deployment = await deployments.redeploy(params.app, body);
      reply.code(202);
      return deployment;
    },
  });
  routes.route({
    ...api.rollback,
    handler: async ({ params, body }, reply) => {
      const deployment = await deployments.rollback(params.app, body);
      reply.code(202);
      return deployment;
    },
  });
  routes.route({
    ...api.listReleases,
    handler: async ({ params, query }) => ({ releases: await deployments.listReleases(params.app, query) }),
  });
  routes.route({ ...api.getDeployment, handler: async ({ params }) => deployments.get(params.deployment) });
  routes.route({ ...api.cancel, handler: async ({ params }) => deployments.cancel(params.deployment) });
  routes.route({
    ...api.deploymentLogs,
    handler: async (request, reply) => {
      const { id } = await deployments.get(request.params.deployment);
      const signal = requestSignal(reply, closing);
      const after = Number(request.headers["last-event-id"] ?? -1);
      const lines = linesAfter(after, deployments.logs(id, { follow: request.query.follow, signal }));
      return sendEvents(reply, { lines, signal, describe: (error) => describeProblem(error, request) });
    },
  });
}

async function* linesAfter(seq: number, lines: AsyncIterable<LogLine>): AsyncGenerator<LogLine> {
  for await (const line of lines) if (!(line.seq <= seq)) yield line;
}
