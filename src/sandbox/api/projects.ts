import { z } from "zod";
import { LEVEL, levelIn } from "../access.ts";
import { flag } from "../params.ts";
import { notFound, ok } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Project, User } from "../state.ts";
import { createProjectRoute } from "./create-project.ts";
import { deleteProjectRoutes } from "./delete-project.ts";
import { editProjectRoutes } from "./edit-project.ts";
import { forkRoutes } from "./fork-project.ts";
import { getProject } from "./find-project.ts";
import { importRoutes } from "./import-status.ts";
import { projectBasics, projectEntity } from "./project-entity.ts";
import { listProjects } from "./project-list.ts";
import { projectFilters } from "./project-params.ts";
import { statisticsOf } from "./project-statistics.ts";
import { projectShareRoutes } from "./project-shares.ts";

async function single(call: Call, project: Project, statistics: boolean): Promise<unknown> {
  const user = call.currentUser();
  if (!user) return projectBasics(call.box, project, null);
  const entity = projectEntity(call.box, project, user);
  const counted = statistics && levelIn(call.box.state, user, project) >= LEVEL.reporter;
  return counted ? { ...entity, statistics: await statisticsOf(call.box, project) } : entity;
}

function findUser(call: Call, id: string): User {
  const users = [...call.box.state.users.values()];
  const found = users.find((user) => (/^\d+$/.test(id) ? user.id === Number(id) : user.username === id));
  if (!found) throw notFound("User");
  return found;
}

export const projectRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/projects",
    scopes: ["ai_workflows"],
    authenticate: "lazily",
    params: projectFilters,
    handle: (call, filters) =>
      listProjects(call, call.box.state.projects.values(), filters, "offset or keyset"),
  }),
  createProjectRoute,
  route({
    method: "GET",
    path: "/users/:user_id/projects",
    authenticate: "lazily",
    params: { ...projectFilters, user_id: z.string() },
    handle: (call, { user_id: id, ...filters }) => {
      const user = findUser(call, id);
      const own = [...call.box.state.projects.values()].filter(
        (project) => project.namespaceId === user.namespaceId,
      );
      return listProjects(call, own, filters, "offset or keyset");
    },
  }),
  route({
    method: "GET",
    path: "/projects/:id",
    scopes: ["ai_workflows"],
    authenticate: "lazily",
    params: { statistics: flag.optional() },
    handle: async (call, { statistics = false }) => ok(await single(call, getProject(call), statistics)),
  }),
  route({
    method: "GET",
    path: "/projects/:id/forks",
    authenticate: "lazily",
    params: { ...projectFilters, id: z.string() },
    handle: (call, filters) => {
      const { id } = getProject(call);
      const forks = [...call.box.state.projects.values()].filter((project) => project.forkedFromId === id);
      return listProjects(call, forks, filters);
    },
  }),
  ...editProjectRoutes,
  ...deleteProjectRoutes,
  ...forkRoutes,
  ...importRoutes,
  ...projectShareRoutes,
];
