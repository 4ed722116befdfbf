import { canSeeGroup, groupLevel, LEVEL } from "../access.ts";
import { forbidden, notFound } from "../reply.ts";
import type { Call } from "../route.ts";
import type { Group, User } from "../state.ts";

/** A group that this user may see, by id or full path. */
export function findGroup(call: Call, id: string): Group | null {
  const { groups, groupsByPath } = call.box.state;
  const user = call.currentUser();
  const group = /^\d+$/.test(id) ? groups.get(Number(id)) : groupsByPath.get(id.toLowerCase());
  return group && canSeeGroup(call.box.state, user, group) ? group : null;
}

/** The group that the path names. One that the user may not see is `404 Group Not Found`. */
export function getGroup(call: Call, id = call.path["id"] ?? ""): Group {
  const group = findGroup(call, id);
  if (!group) throw notFound("Group");
  return group;
}

/** The same, and the user has this level in it; 403 otherwise. */
export function getGroupAs(call: Call, level: number): Group {
  const group = getGroup(call);
  if (levelInGroup(call, call.currentUser(), group) < level) throw forbidden();
  return group;
}

export function levelInGroup(call: Call, user: User | null, group: Group): number {
  if (user === null) return 0;
  return user.admin ? LEVEL.owner : groupLevel(call.box.state, user, group.id);
}
