import { z } from "zod";
import { canSeeGroup, groupLevel, LEVEL } from "../access.ts";
import { asksForKeyset, keysetPaged, paged } from "../paging.ts";
import { flag, oneOf, text } from "../params.ts";
import type { Reply } from "../reply.ts";
import type { Call } from "../route.ts";
import type { Group } from "../state.ts";
import { groupEntity } from "./group-entity.ts";
import { integers, minAccessLevel, visibility } from "./project-params.ts";

export const groupFilters = {
  all_available: flag.optional(),
  active: flag.optional(),
  archived: flag.optional(),
  min_access_level: minAccessLevel.optional(),
  order_by: oneOf(["name", "path", "id", "similarity"]).optional(),
  owned: flag.optional(),
  search: text.optional(),
  skip_groups: integers.optional(),
  sort: oneOf(["asc", "desc"]).optional(),
  statistics: flag.optional(),
  top_level_only: flag.optional(),
  visibility: visibility.optional(),
};
const shape = z.object(groupFilters);
export type GroupFilters = z.output<typeof shape>;

const DEFAULTS = {
  order_by: "name",
  owned: false,
  sort: "asc",
  statistics: false,
  with_custom_attributes: false,
};

/** One page of those of the groups that the filters leave. `all`: whether groups count that the user only sees, without being a member. */
export function listGroups(
  call: Call,
  groups: Iterable<Group>,
  filters: GroupFilters,
  all: boolean,
): Promise<Reply> {
  const anonymous = call.currentUser() === null;
  const enforced = anonymous && call.box.version.has("groupsByKeyset");
  const { order_by: order = "name", sort = "asc" } = filters;
  const byKeyset =
    call.box.version.has("groupsByKeyset") &&
    asksForKeyset(call, anonymous && order === "name" && sort === "asc");
  const rows = inOrder(found(call, groups, filters, all), filters);
  const present = (group: Group): unknown => groupEntity(call, group);
  if (!byKeyset) {
    return paged(call, rows, present, { defaults: DEFAULTS, ...(enforced ? { limitedType: "Group" } : {}) });
  }
  const after = idOfCursor(call.input["cursor"]);
  const position = rows.findIndex(({ id }) => id === after);
  const keyset = { parameter: "cursor", valueOf: cursorOf };
  return keysetPaged(call, rows.slice(position + 1), present, keyset, DEFAULTS);
}

function found(call: Call, groups: Iterable<Group>, filters: GroupFilters, all: boolean): Group[] {
  const user = call.currentUser();
  const { state } = call.box;
  const asked = call.box.version.has("filterByLevel") ? filters.min_access_level : undefined;
  const level = Math.max(asked ?? 0, filters.owned ? LEVEL.owner : 0, all ? 0 : 1);
  const search = filters.search?.toLowerCase() ?? "";
  const skipped = new Set(filters.skip_groups);
  const tests: ((group: Group) => boolean)[] = [
    (group) => !skipped.has(group.id),
    (group) => !filters.top_level_only || group.parentId === null,
    (group) => filters.visibility === undefined || group.visibility === filters.visibility,
    (group) => filters.archived === undefined || group.archived === filters.archived,
    (group) => filters.active === undefined || isActive(group) === filters.active,
    (group) => search === "" || `${group.name} ${group.fullPath}`.toLowerCase().includes(search),
    (group) => level === 0 || (user !== null && groupLevel(state, user, group.id) >= level),
    (group) => canSeeGroup(state, user, group),
  ];
  return [...groups].filter((group) => tests.every((test) => test(group)));
}

function isActive(group: Group): boolean {
  return !group.archived && group.markedForDeletionOn === null;
}

function inOrder(groups: readonly Group[], filters: GroupFilters): Group[] {
  const { order_by: order = "name", sort = "asc", search } = filters;
  const direction = sort === "asc" ? 1 : -1;
  const key = (group: Group): string | number => {
    if (order === "id") return group.id;
    if (order === "path") return group.path;
    if (order !== "similarity" || !search) return group.name.toLowerCase();
    return group.path.toLowerCase() === search.toLowerCase() ? 0 : 1;
  };
  return groups
    .map((group) => ({ group, key: key(group) }))
    .sort((a, b) => (a.key === b.key ? a.group.id - b.group.id : a.key < b.key ? -direction : direction))
    .map(({ group }) => group);
}

/** Like GitLab's, opaque to clients. */
function cursorOf(group: Group): string {
  return Buffer.from(JSON.stringify({ name: group.name, id: String(group.id), _kd: "n" })).toString(
    "base64url",
  );
}

function idOfCursor(cursor: unknown): number | null {
  if (typeof cursor !== "string") return null;
  const id = /"id":"(\d+)"/.exec(Buffer.from(cursor, "base64url").toString())?.[1];
  return id === undefined ? null : Number(id);
}
