import { LEVEL, levelIn } from "../access.ts";
import { date, integer, integerOf } from "../params.ts";
import { created, forbidden, noContent, notFound, refuse, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Place } from "../places.ts";
import type { Group } from "../state.ts";
import { findGroup, getGroup, getGroupAs } from "./find-group.ts";
import { getProjectAs } from "./find-project.ts";
import { groupDetails } from "./group-entity.ts";

const params = {
  group_id: integer,
  group_access: integerOf([10, 15, 20, 30, 40, 50]),
  expires_at: date.optional(),
};

interface Given {
  readonly group_id: number;
  readonly group_access: number;
  readonly expires_at?: string | undefined;
}

/** Lets the members of a group in, with at most the given level. */
function share(call: Call, place: Place, invited: Group, given: Given): Record<string, unknown> {
  if (place.shares.has(invited.id)) throw refuse(409, "Group already shared with this group");
  const { group_access: level, expires_at: expiresAt = null } = given;
  const id = call.box.state.nextId("share");
  place.shares.set(invited.id, { id, level, expiresAt });
  return { id, group_id: invited.id, group_access: level, expires_at: expiresAt };
}

function unshare(place: Place, groupId: number): Reply {
  if (!place.shares.delete(groupId)) throw notFound("Group Link");
  return noContent();
}

export const projectShareRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/projects/:id/share",
    params,
    handle: (call, given) => {
      const project = getProjectAs(call, LEVEL.maintainer);
      const invited = findGroup(call, String(given.group_id));
      if (!invited) throw notFound("Group");
      const level = levelIn(call.box.state, call.currentUser(), project);
      if (given.group_access > level) throw forbidden();
      const { id, ...link } = share(call, project, invited, given);
      return created({ id, project_id: project.id, ...link });
    },
  }),
  route({
    method: "DELETE",
    path: "/projects/:id/share/:group_id",
    params: { group_id: integer },
    handle: (call, { group_id: groupId }) => {
      const project = getProjectAs(call, LEVEL.maintainer);
      const level = levelIn(call.box.state, call.currentUser(), project);
      if ((project.shares.get(groupId)?.level ?? 0) > level) throw forbidden();
      return unshare(project, groupId);
    },
  }),
];

export const groupShareRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/groups/:id/share",
    since: "groupsShareWithGroups",
    params,
    handle: (call, given) => {
      const group = getOwned(call);
      const invited = getGroup(call, String(given.group_id));
      share(call, group, invited, given);
      return created(groupDetails(call, group, false));
    },
  }),
  route({
    method: "DELETE",
    path: "/groups/:id/share/:group_id",
    since: "groupsShareWithGroups",
    params: { group_id: integer },
    handle: (call, { group_id: groupId }) => unshare(getOwned(call), groupId),
  }),
];

function getOwned(call: Call): Group {
  return getGroupAs(call, LEVEL.owner);
}
