import { z } from "zod";
import { flag } from "../params.ts";
import { ok } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Group, Project } from "../state.ts";
import { getGroup } from "./find-group.ts";
import { groupDetails } from "./group-entity.ts";
import { groupFilters, listGroups } from "./group-list.ts";
import { listProjects } from "./project-list.ts";
import { projectFilters } from "./project-params.ts";
import { groupShareRoutes } from "./project-shares.ts";
import { writeGroupRoutes } from "./write-groups.ts";

function below(call: Call, group: Group): Group[] {
  return [...call.box.state.groups.values()].filter((one) => one.fullPath.startsWith(`${group.fullPath}/`));
}

/** By default a group's own projects and those that were shared with it. */
function projectsOf(call: Call, group: Group, subgroups: boolean, shared: boolean): Project[] {
  const groups = new Set([group, ...(subgroups ? below(call, group) : [])].map(({ id }) => id));
  return [...call.box.state.projects.values()].filter(
    ({ namespaceId, shares }) => groups.has(namespaceId) || (shared && shares.has(group.id)),
  );
}

export const groupRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/groups",
    scopes: ["ai_workflows"],
    authenticate: "lazily",
    params: groupFilters,
    handle: (call, filters) => {
      const user = call.currentUser();
      const all = filters.all_available ?? (user === null || user.admin);
      return listGroups(call, call.box.state.groups.values(), filters, all);
    },
  }),
  ...writeGroupRoutes,
  route({
    method: "GET",
    path: "/groups/:id",
    scopes: ["ai_workflows"],
    authenticate: "lazily",
    params: { with_projects: flag.optional() },
    handle: (call, { with_projects: withProjects = true }) =>
      ok(groupDetails(call, getGroup(call), withProjects)),
  }),
  route({
    method: "GET",
    path: "/groups/:id/subgroups",
    authenticate: "lazily",
    params: groupFilters,
    handle: (call, filters) => {
      const group = getGroup(call);
      const children = below(call, group).filter(({ parentId }) => parentId === group.id);
      return listGroups(call, children, filters, filters.all_available ?? true);
    },
  }),
  route({
    method: "GET",
    path: "/groups/:id/descendant_groups",
    since: "descendantGroups",
    authenticate: "lazily",
    params: groupFilters,
    handle: (call, filters) =>
      listGroups(call, below(call, getGroup(call)), filters, filters.all_available ?? true),
  }),
  route({
    method: "GET",
    path: "/groups/:id/projects",
    authenticate: "lazily",
    params: {
      ...projectFilters,
      id: z.string(),
      include_subgroups: flag.optional(),
      with_shared: flag.optional(),
    },
    handle: (call, { include_subgroups: subgroups = false, with_shared: shared = true, ...filters }) =>
      listProjects(call, projectsOf(call, getGroup(call), subgroups, shared), filters),
  }),
  route({
    method: "GET",
    path: "/groups/:id/projects/shared",
    authenticate: "lazily",
    params: { ...projectFilters, id: z.string() },
    handle: (call, filters) => {
      const group = getGroup(call);
      const shared = [...call.box.state.projects.values()].filter(({ shares }) => shares.has(group.id));
      return listProjects(call, shared, filters);
    },
  }),
  ...groupShareRoutes,
];
