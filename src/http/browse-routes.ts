import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { api } from "./contract.ts";
import { requestSignal } from "./request-signal.ts";
import type { Services } from "./services.ts";

export function mountBrowse(app: FastifyInstance, { browser }: Services, closing: AbortSignal): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.route({
    ...api.listGroups,
    handler: async ({ params, query }, reply) => {
      const call = { signal: requestSignal(reply, closing) };
      const { items, ...page } = await browser.listGroups(params.connection, query, call);
      return { groups: items, ...page };
    },
  });
  routes.route({
    ...api.listProjects,
    handler: async ({ params, query }, reply) => {
      const call = { signal: requestSignal(reply, closing) };
      const { items, ...page } = await browser.listProjects(params.connection, query, call);
      return { projects: items, ...page };
    },
  });
  routes.route({
    ...api.listBranches,
    handler: async ({ params, query }, reply) => {
      const call = { signal: requestSignal(reply, closing) };
      const found = await browser.listBranches(params.connection, params.project, query, call);
      const branches = found.items.map(({ name, commit, isDefault, isProtected }) => {
        const { sha, title, committedAt } = commit;
        return { name, commit: sha, title, committedAt, isDefault, isProtected };
      });
      return { branches, next: found.next, total: found.total };
    },
  });
  routes.route({
    ...api.look,
    handler: async ({ params, query }, reply) => {
      const call = { signal: requestSignal(reply, closing) };
      const { content, ...found } = await browser.look(params.connection, params.project, query, call);
      return { ...found, content: content && Buffer.from(content).toString("base64") };
    },
  });
}
