import { z } from "zod";
import { canCreateGroups, LEVEL } from "../access.ts";
import { moveGroup, removeGroup } from "../moves.ts";
import { problemsOfGroupName, problemsOfGroupPath } from "../names.ts";
import { flag, integer, oneOf, text } from "../params.ts";
import { CREATION_LEVELS } from "../places.ts";
import { accepted, created, forbidden, ok, refuse, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Group, Visibility } from "../state.ts";
import { getGroup, getGroupAs, levelInGroup } from "./find-group.ts";
import { groupDetails } from "./group-entity.ts";
import { visibility } from "./project-params.ts";
import { isHigher } from "./project-rules.ts";

const optional = {
  description: text.optional(),
  visibility: visibility.optional(),
  project_creation_level: oneOf(CREATION_LEVELS).optional(),
  subgroup_creation_level: oneOf(["owner", "maintainer"]).optional(),
};
const shape = z.object(optional);

interface Wanted {
  readonly name: string;
  readonly path: string;
  readonly fullPath: string;
  readonly parent: Group | null;
  readonly visibility: Visibility;
}

/** What the model of a group has against it, by field. */
function problemsOf(call: Call, wanted: Wanted, self: Group | null): Record<string, readonly string[]> {
  const { state } = call.box;
  const full = wanted.fullPath.toLowerCase();
  const usernames = [...state.users.values()].map(({ username }) => username.toLowerCase());
  const holder = state.groupsByPath.get(full) ?? state.projectsByPath.get(full);
  const taken = (holder !== undefined && holder !== self) || usernames.includes(full);
  const names = problemsOfGroupName(wanted.name);
  const paths = self?.path === wanted.path ? [] : problemsOfGroupPath(wanted.path, wanted.parent === null);
  const heights = self?.visibility === wanted.visibility ? [] : visibilityProblems(call, wanted, self);
  const path = [...(taken ? ["has already been taken"] : []), ...paths];
  return {
    ...(names.length > 0 ? { name: names } : {}),
    ...(path.length > 0 ? { path } : {}),
    ...(heights.length > 0 ? { visibility_level: heights } : {}),
  };
}

function visibilityProblems(call: Call, wanted: Wanted, self: Group | null): string[] {
  const { groups, projects, settings } = call.box.state;
  const { visibility: level, parent } = wanted;
  const admin = call.authenticate().admin;
  const higher = (one: { readonly visibility: Visibility }): boolean => isHigher(one.visibility, level);
  const inside = [...groups.values()].filter(({ parentId }) => parentId === self?.id);
  const own = [...projects.values()].filter(({ namespaceId }) => namespaceId === self?.id);
  return [
    ...(settings.restrictedVisibilityLevels.includes(level) && !admin
      ? [`${level} has been restricted by your GitLab administrator`]
      : []),
    ...(parent && isHigher(level, parent.visibility)
      ? [`${level} is not allowed since the parent group has a ${parent.visibility} visibility.`]
      : []),
    ...(own.some(higher)
      ? [`${level} is not allowed since this group contains projects with higher visibility.`]
      : []),
    ...(inside.some(higher)
      ? [`${level} is not allowed since there are sub-groups with higher visibility.`]
      : []),
  ];
}

/** As Ruby shows a hash: this is how GitLab tells why a group was not created. */
function inspected(problems: Readonly<Record<string, readonly string[]>>): string {
  return `{${Object.entries(problems)
    .map(([field, list]) => `:${field}=>[${list.map((problem) => JSON.stringify(problem)).join(", ")}]`)
    .join(", ")}}`;
}

function getParent(call: Call, id: number | undefined): Group | null {
  const user = call.authenticate();
  if (id === undefined) {
    if (canCreateGroups(call.box.state, user)) return null;
    throw forbidden();
  }
  const parent = getGroup(call, String(id));
  const needed = parent.subgroupCreationLevel === "owner" ? LEVEL.owner : LEVEL.maintainer;
  if (levelInGroup(call, user, parent) < needed) throw forbidden();
  return parent;
}

function applyLevels(group: Group, given: z.output<typeof shape>): void {
  group.description = given.description ?? group.description;
  group.projectCreationLevel = given.project_creation_level ?? group.projectCreationLevel;
  group.subgroupCreationLevel = given.subgroup_creation_level ?? group.subgroupCreationLevel;
}

function remove(call: Call, forGood: boolean): Reply {
  const group = getGroupAs(call, LEVEL.owner);
  const { state, version } = call.box;
  const marked = group.markedForDeletionOn !== null;
  if (forGood && version.has("delayedDeletion") && !marked) {
    throw refuse(400, "Group must be marked for deletion first.");
  }
  if (forGood || !version.has("delayedDeletion")) removeGroup(state, group);
  else if (marked) throw refuse(400, "Group has been already marked for deletion");
  else group.markedForDeletionOn = state.now().slice(0, 10);
  return accepted();
}

function transfer(call: Call, parentId: number | undefined): Reply {
  const group = getGroupAs(call, LEVEL.owner);
  if (group.parentId === null && parentId === undefined) {
    throw refuse(400, "Transfer failed: Group is already a root group.");
  }
  const parent = getParent(call, parentId);
  if (parent && `${parent.fullPath}/`.startsWith(`${group.fullPath}/`)) {
    throw refuse(400, "Transfer failed: Cannot transfer group to one of its subgroup.");
  }
  const fullPath = parent ? `${parent.fullPath}/${group.path}` : group.path;
  const { groupsByPath, projectsByPath } = call.box.state;
  if (groupsByPath.has(fullPath.toLowerCase()) || projectsByPath.has(fullPath.toLowerCase())) {
    const words = "The parent group already has a subgroup or a project with the same path.";
    throw refuse(400, `Transfer failed: ${words}`);
  }
  moveGroup(call.box.state, group, parent?.id ?? null, fullPath);
  return created(groupDetails(call, group, false));
}

export const writeGroupRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/groups",
    scopes: ["ai_workflows"],
    params: { name: text, path: text, parent_id: integer.optional(), ...optional },
    handle: (call, { name, path, parent_id: parentId, ...given }) => {
      const parent = getParent(call, parentId);
      const fullPath = parent ? `${parent.fullPath}/${path}` : path;
      const level = given.visibility ?? "private";
      const problems = problemsOf(call, { name, path, fullPath, parent, visibility: level }, null);
      if (Object.keys(problems).length > 0) throw refuse(400, `Failed to save group ${inspected(problems)}`);
      const owner = call.authenticate();
      const group = call.box.seed.createGroup({ path: fullPath, name, owner, visibility: level });
      applyLevels(group, given);
      return created(groupDetails(call, group, false));
    },
  }),
  route({
    method: "PUT",
    path: "/groups/:id",
    params: { name: text.optional(), path: text.optional(), ...optional },
    handle: (call, { name, path, ...given }) => {
      const group = getGroupAs(call, LEVEL.owner);
      const { state } = call.box;
      const parent = group.parentId === null ? null : (state.groups.get(group.parentId) ?? null);
      const wanted = {
        name: name ?? group.name,
        path: path ?? group.path,
        fullPath: group.fullPath.slice(0, -group.path.length) + (path ?? group.path),
        parent,
        visibility: given.visibility ?? group.visibility,
      };
      const problems = problemsOf(call, wanted, group);
      if (Object.keys(problems).length > 0) throw refuse(400, problems);
      group.name = wanted.name;
      group.visibility = wanted.visibility;
      if (wanted.path !== group.path) moveGroup(state, group, group.parentId, wanted.fullPath);
      applyLevels(group, given);
      return ok(groupDetails(call, group, true));
    },
  }),
  route({
    method: "DELETE",
    path: "/groups/:id",
    params: { permanently_remove: flag.optional() },
    handle: (call, { permanently_remove: forGood = false }) => remove(call, forGood),
  }),
  route({
    method: "POST",
    path: "/groups/:id/restore",
    since: "delayedDeletion",
    params: {},
    handle: (call) => {
      const group = getGroupAs(call, LEVEL.owner);
      if (group.markedForDeletionOn === null) {
        throw refuse(400, "Group has not been marked for deletion");
      }
      group.markedForDeletionOn = null;
      return created(groupDetails(call, group, true));
    },
  }),
  route({
    method: "POST",
    path: "/groups/:id/transfer",
    params: { group_id: integer.optional() },
    handle: (call, { group_id: parentId }) => transfer(call, parentId),
  }),
];
