import { groupLevel, LEVEL } from "../access.ts";
import type { Box } from "../box.ts";
import type { Group, State, User } from "../state.ts";

/** Names of a group and all above it, as `full_name`. */
export function fullName(state: State, group: Group): string {
  const parent = group.parentId === null ? undefined : state.groups.get(group.parentId);
  return parent ? `${fullName(state, parent)} / ${group.name}` : group.name;
}

export function findNamespaceOwner(state: State, namespaceId: number): User | undefined {
  if (state.groups.has(namespaceId)) return undefined;
  return [...state.users.values()].find((user) => user.namespaceId === namespaceId);
}

/** GitLab's `NamespaceBasic`. */
export function namespaceBasic(box: Box, place: Group | User): Record<string, unknown> {
  if ("username" in place) {
    const { namespaceId: id, name, username: path } = place;
    return { id, name, path, kind: "user", full_path: path, parent_id: null, ...links(box, path) };
  }
  const { id, name, path, fullPath, parentId } = place;
  const basics = { id, name, path, kind: "group", full_path: fullPath, parent_id: parentId };
  return { ...basics, ...links(box, `groups/${fullPath}`) };
}

function links(box: Box, path: string): Record<string, unknown> {
  return { avatar_url: null, web_url: `${box.url}/${path}` };
}

/** GitLab's `Namespace`: how many use it is told to those who manage it. */
export function namespaceEntity(box: Box, place: Group | User, reader: User): Record<string, unknown> {
  const basic = namespaceBasic(box, place);
  if ("username" in place) return basic;
  const { state } = box;
  if (!reader.admin && groupLevel(state, reader, place.id) < LEVEL.owner) return basic;
  const below = `${place.fullPath}/`;
  const groups = [...state.groups.values()].filter(({ fullPath }) => fullPath.startsWith(below));
  const users = new Set([place, ...groups].flatMap((group) => [...group.members.keys()]));
  const projects = [...state.projects.values()].filter(({ fullPath }) => fullPath.startsWith(below));
  return {
    ...basic,
    members_count_with_descendants: users.size,
    root_repository_size: 0,
    projects_count: projects.length,
  };
}
