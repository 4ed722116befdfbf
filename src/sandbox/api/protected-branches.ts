import { LEVEL } from "../access.ts";
import { flag, integerOf, text } from "../params.ts";
import { paged } from "../paging.ts";
import { conflict, created, noContent, notFound, ok } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Project, Protection } from "../state.ts";
import { getProjectAs } from "./find-project.ts";

const path = "/projects/:id/protected_branches";
const administered = (call: Call): Project => getProjectAs(call, LEVEL.maintainer);
const before = (call: Call): void => void administered(call);
const level = integerOf([0, 30, 40, 60]);

const LEVEL_NAMES: Readonly<Record<number, string>> = {
  0: "No one",
  30: "Developers + Maintainers",
  40: "Maintainers",
  60: "Administrators",
};

/** GitLab's `ProtectedBranch`. Its rows have no ids here: a branch pattern is protected once or not at all. */
function entity(project: Project, name: string, protection: Protection): Record<string, unknown> {
  const access = (id: number, value: number): unknown => ({
    id,
    access_level: value,
    access_level_description: LEVEL_NAMES[value] ?? "",
    deploy_key_id: null,
    user_id: null,
    group_id: null,
  });
  const id = [...project.protectedBranches.keys()].indexOf(name) + 1;
  return {
    id,
    name,
    push_access_levels: [access(id, protection.pushLevel)],
    merge_access_levels: [access(id, LEVEL.maintainer)],
    allow_force_push: protection.allowForcePush,
  };
}

function getProtection(call: Call, name: string): { readonly project: Project; readonly found: Protection } {
  const project = administered(call);
  const found = project.protectedBranches.get(name);
  if (!found) throw notFound("ProtectedBranch");
  return { project, found };
}

export const protectedBranchRoutes: readonly Route[] = [
  route({
    method: "GET",
    path,
    before,
    params: { search: text.optional() },
    handle: (call, { search = "" }) => {
      const project = administered(call);
      const rows = [...project.protectedBranches].filter(([name]) => name.includes(search));
      return paged(call, rows, ([name, protection]) => entity(project, name, protection));
    },
  }),
  route({
    method: "GET",
    path: `${path}/:name`,
    before,
    params: { name: text },
    handle: (call, { name }) => {
      const { project, found } = getProtection(call, name);
      return ok(entity(project, name, found));
    },
  }),
  route({
    method: "POST",
    path,
    before,
    params: { name: text, push_access_level: level.optional(), allow_force_push: flag.optional() },
    handle: (call, { name, push_access_level = LEVEL.maintainer, allow_force_push = false }) => {
      const project = administered(call);
      if (project.protectedBranches.has(name)) throw conflict(`Protected branch '${name}' already exists`);
      const protection = { pushLevel: push_access_level, allowForcePush: allow_force_push };
      project.protectedBranches.set(name, protection);
      return created(entity(project, name, protection));
    },
  }),
  route({
    method: "PATCH",
    path: `${path}/:name`,
    before,
    params: { name: text, allow_force_push: flag.optional() },
    handle: (call, { name, allow_force_push: allowForcePush }) => {
      const { project, found } = getProtection(call, name);
      const changed = allowForcePush === undefined ? found : { ...found, allowForcePush };
      project.protectedBranches.set(name, changed);
      return ok(entity(project, name, changed));
    },
  }),
  route({
    method: "DELETE",
    path: `${path}/:name`,
    before,
    params: { name: text },
    handle: (call, { name }) => {
      const { project } = getProtection(call, name);
      project.protectedBranches.delete(name);
      return noContent();
    },
  }),
];
