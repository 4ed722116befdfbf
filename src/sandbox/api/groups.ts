import { canCreateIn, groupLevel, isShutOut, LEVEL } from "../access.ts";
import { flag, integer, text } from "../params.ts";
import { paged } from "../paging.ts";
import { notFound, ok } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Group, User } from "../state.ts";

function groupEntity(call: Call, group: Group): Record<string, unknown> {
  const { state, url } = call.box;
  const names: string[] = [];
  for (
    let at: Group | undefined = group;
    at;
    at = at.parentId === null ? undefined : state.groups.get(at.parentId)
  ) {
    names.unshift(at.name);
  }
  return {
    id: group.id,
    web_url: `${url}/groups/${group.fullPath}`,
    name: group.name,
    path: group.path,
    description: "",
    visibility: group.visibility,
    share_with_group_lock: false,
    require_two_factor_authentication: false,
    project_creation_level: "developer",
    subgroup_creation_level: "maintainer",
    lfs_enabled: false,
    avatar_url: null,
    request_access_enabled: true,
    full_name: names.join(" / "),
    full_path: group.fullPath,
    created_at: group.createdAt,
    parent_id: group.parentId,
  };
}

function canSeeGroup(call: Call, user: User | null, group: Group): boolean {
  const owns = user !== null && groupLevel(call.box.state, user, group.id) >= LEVEL.owner;
  if (!owns && isShutOut(call.box.state, group.id)) return false;
  if (group.visibility === "public") return true;
  if (!user) return false;
  return group.visibility === "internal" || user.admin || groupLevel(call.box.state, user, group.id) > 0;
}

export const groupRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/groups",
    scopes: ["ai_workflows"],
    authenticate: "lazily",
    params: {
      search: text.optional(),
      min_access_level: integer.optional(),
      owned: flag.optional(),
      top_level_only: flag.optional(),
      all_available: flag.optional(),
    },
    handle: (call, filter) => {
      const user = call.currentUser();
      const level = Math.max(filter.min_access_level ?? 0, filter.owned ? 50 : 0);
      const everything = filter.all_available ?? (user === null || user.admin);
      const found = [...call.box.state.groups.values()].filter((group) => {
        const own = user ? groupLevel(call.box.state, user, group.id) : 0;
        return (
          canSeeGroup(call, user, group) &&
          own >= Math.max(level, everything ? 0 : 1) &&
          (!filter.top_level_only || group.parentId === null) &&
          group.fullPath.toLowerCase().includes((filter.search ?? "").toLowerCase())
        );
      });
      const rows = found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
      return paged(call, rows, (group) => groupEntity(call, group));
    },
  }),
  route({
    method: "GET",
    path: "/groups/:id",
    scopes: ["ai_workflows"],
    authenticate: "lazily",
    params: { id: text },
    handle: (call, { id }) => {
      const user = call.currentUser();
      const group = [...call.box.state.groups.values()].find(
        (group) => String(group.id) === id || group.fullPath.toLowerCase() === id.toLowerCase(),
      );
      if (!group || !canSeeGroup(call, user, group)) throw notFound("Group");
      return ok(groupEntity(call, group));
    },
  }),
  route({
    method: "GET",
    path: "/namespaces",
    params: { search: text.optional() },
    handle: (call, { search = "" }) => {
      const user = call.authenticate();
      const groups = [...call.box.state.groups.values()].filter((group) =>
        canCreateIn(call.box.state, user, group.id),
      );
      const rows = [userNamespace(call, user), ...groups.map((group) => groupNamespace(call, group))].filter(
        (row) => row.full_path.toLowerCase().includes(search.toLowerCase()),
      );
      return paged(call, rows, (row) => row);
    },
  }),
];

function userNamespace(call: Call, user: User) {
  const { username } = user;
  const place = { path: username, kind: "user", full_path: username, parent_id: null, avatar_url: null };
  return { id: user.namespaceId, name: user.name, ...place, web_url: `${call.box.url}/${username}` };
}

function groupNamespace(call: Call, group: Group) {
  const { id, name, path, fullPath, parentId } = group;
  const place = { path, kind: "group", full_path: fullPath, parent_id: parentId, avatar_url: null };
  return { id, name, ...place, web_url: `${call.box.url}/groups/${fullPath}` };
}
