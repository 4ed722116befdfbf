import { groupLevel, LEVEL } from "../access.ts";
import { paged } from "../paging.ts";
import { flag, integer, text } from "../params.ts";
import { notFound, ok } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Group, State, User } from "../state.ts";
import { namespaceEntity } from "./namespace-entity.ts";

type Namespace = Group | User;

/** One's own namespace and the groups that one maintains; administrators have all (§5.3). */
function namespacesOf(call: Call, user: User, ownedOnly: boolean): Namespace[] {
  const { state } = call.box;
  const level = ownedOnly ? LEVEL.owner : LEVEL.maintainer;
  const mine = (group: Group): boolean => groupLevel(state, user, group.id) >= level;
  const everything = user.admin && !ownedOnly;
  const people = everything ? [...state.users.values()] : [user];
  return [...people, ...[...state.groups.values()].filter((group) => everything || mine(group))];
}

function fullPathOf(place: Namespace): string {
  return "username" in place ? place.username : place.fullPath;
}

function isTop(place: Namespace): boolean {
  return "username" in place || place.parentId === null;
}

function findNamespace(call: Call, user: User, id: string): Namespace | null {
  const idOf = (place: Namespace): number => ("username" in place ? place.namespaceId : place.id);
  const wanted = id.toLowerCase();
  const same = (place: Namespace): boolean =>
    /^\d+$/.test(id) ? idOf(place) === Number(id) : fullPathOf(place).toLowerCase() === wanted;
  const { state } = call.box;
  const group = [...state.groups.values()].find(same);
  if (group) return user.admin || groupLevel(state, user, group.id) > 0 ? group : null;
  return [user, ...(user.admin ? state.users.values() : [])].find(same) ?? null;
}

function isTaken(state: State, path: string, parentId: number | null): boolean {
  const wanted = path.toLowerCase();
  const groups = [...state.groups.values()].filter((group) => group.parentId === parentId);
  const people = parentId === null ? [...state.users.values()] : [];
  return (
    groups.some((group) => group.path.toLowerCase() === wanted) ||
    people.some(({ username }) => username.toLowerCase() === wanted)
  );
}

function freePath(state: State, path: string, parentId: number | null): string {
  let count = 1;
  while (isTaken(state, `${path}${count}`, parentId)) count += 1;
  return `${path}${count}`;
}

export const namespaceRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/namespaces",
    params: {
      search: text.optional(),
      owned_only: flag.optional(),
      top_level_only: flag.optional(),
      full_path_search: flag.optional(),
    },
    handle: (call, given) => {
      const user = call.authenticate();
      const wanted = given.search?.toLowerCase() ?? "";
      const rows = namespacesOf(call, user, given.owned_only ?? false).filter(
        (place) =>
          (!given.top_level_only || isTop(place)) &&
          `${place.name} ${fullPathOf(place)}`.toLowerCase().includes(wanted),
      );
      return paged(call, rows, (place) => namespaceEntity(call.box, place, user));
    },
  }),
  route({
    method: "GET",
    path: "/namespaces/:id",
    params: {},
    handle: (call) => {
      const user = call.authenticate();
      const place = findNamespace(call, user, call.path["id"] ?? "");
      if (!place) throw notFound("Namespace");
      return ok(namespaceEntity(call.box, place, user));
    },
  }),
  route({
    method: "GET",
    path: "/namespaces/:id/exists",
    since: "namespaceExists",
    params: { parent_id: integer.optional() },
    handle: (call, { parent_id: parentId = null }) => {
      const path = call.path["id"] ?? "";
      const exists = isTaken(call.box.state, path, parentId);
      return ok({ exists, suggests: exists ? [freePath(call.box.state, path, parentId)] : [] });
    },
  }),
];
