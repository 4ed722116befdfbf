import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { parseNetwork } from "../gitlab/parse-network.ts";
import { Secret } from "../kernel/secret.ts";
import { api } from "./contract.ts";
import { requestSignal } from "./request-signal.ts";
import type { Services } from "./services.ts";

export function mountConnections(app: FastifyInstance, services: Services, closing: AbortSignal): void {
  const { connections, apps, check } = services;
  const routes = app.withTypeProvider<ZodTypeProvider>();

  routes.route({
    ...api.check,
    handler: async ({ body }, reply) =>
      check({
        url: body.url,
        token: new Secret(body.token),
        network: parseNetwork(body),
        projects: (body.projects ?? []).map((project) => ({ project, seen: null })),
        signal: requestSignal(reply, closing),
      }),
  });
  routes.route({
    ...api.connect,
    handler: async (request, reply) => {
      const { body } = request;
      request.gitlab = addressOf(body.url);
      const { url, name } = body;
      const wanted = { url, token: new Secret(body.token), name, network: parseNetwork(body) };
      const connected = await connections.connect(wanted, requestSignal(reply, closing));
      reply.code(201);
      return connected;
    },
  });
  routes.route({ ...api.listConnections, handler: async () => ({ connections: await connections.list() }) });
  routes.route({ ...api.getConnection, handler: async ({ params }) => connections.get(params.connection) });
  // Not ended by a client that leaves: half a removal helps nobody.
  routes.route({
    ...api.disconnect,
    handler: async ({ params }) => apps.disconnect(params.connection, closing),
  });
}

function addressOf(url: string): { readonly baseUrl: string } | null {
  if (!URL.canParse(url)) return null;
  const { origin, pathname } = new URL(url);
  return origin === "null" ? null : { baseUrl: `${origin}${pathname.replace(/\/+$/, "")}` };
}
