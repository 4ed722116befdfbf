import { paged } from "../paging.ts";
import { integer, text, date, integerOf } from "../params.ts";
import { LEVEL } from "../access.ts";
import { created, forbidden, noContent, notFound, ok, recordNotFound, refuse, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { User } from "../state.ts";
import { userBasic } from "./entities.ts";
import {
  allMembers,
  checkManager,
  checkReadable,
  directMembers,
  getSource,
  inheritedLevel,
  type Member,
  type Source,
} from "./member-sources.ts";
import { integers } from "./project-params.ts";

const NAMES: Readonly<Record<number, string>> = {
  5: "Minimal Access",
  10: "Guest",
  15: "Planner",
  20: "Reporter",
  30: "Developer",
  40: "Maintainer",
  50: "Owner",
};
const level = integerOf([5, 10, 15, 20, 30, 40, 50]);
const listParams = { query: text.optional(), user_ids: integers.optional() };

function memberEntity(call: Call, { user, level: accessLevel, place }: Member): Record<string, unknown> {
  const { state, version } = call.box;
  const facts = place.memberships.get(user.id);
  const creator = state.users.get(facts?.createdById ?? 0);
  const createdBy =
    version.has("memberCreator") && creator ? { created_by: userBasic(call.box, creator) } : {};
  return {
    ...userBasic(call.box, user),
    access_level: accessLevel,
    created_at: facts?.createdAt ?? ("createdAt" in place ? place.createdAt : null),
    ...createdBy,
    expires_at: facts?.expiresAt ?? null,
    ...(version.has("membershipState") ? { membership_state: "active" } : {}),
  };
}

function list(
  call: Call,
  members: readonly Member[],
  given: { query?: string | undefined; user_ids?: number[] | undefined },
) {
  const wanted = given.query?.toLowerCase() ?? "";
  const rows = members.filter(
    ({ user }) =>
      `${user.name}\n${user.username}\n${user.email}`.toLowerCase().includes(wanted) &&
      (given.user_ids === undefined || given.user_ids.includes(user.id)),
  );
  const ordered = rows.toSorted((a, b) => a.user.id - b.user.id);
  return paged(call, ordered, (member) => memberEntity(call, member));
}

function getMember(members: readonly Member[], userId: number): Member {
  const member = members.find(({ user }) => user.id === userId);
  if (!member) throw recordNotFound();
  return member;
}

/** Nobody gives or touches more than they have. */
function checkRank(source: Source, rank: number): void {
  if (rank > source.level) throw forbidden();
}

interface Given {
  readonly access_level: number;
  readonly expires_at?: string | undefined;
}

/** Why this user cannot be a member like that; null when nothing is against it. */
function problemOf(call: Call, source: Source, user: User, given: Given): Record<string, string[]> | null {
  const today = call.box.state.now().slice(0, 10);
  if (given.expires_at !== undefined && given.expires_at < today) {
    return { expires_at: ["cannot be a date in the past"] };
  }
  const { level: inherited, group } = inheritedLevel(call, source, user);
  if (inherited <= given.access_level || !group) return null;
  const words = `should be greater than or equal to ${NAMES[inherited] ?? "Owner"} inherited membership from group ${group.name}`;
  return { access_level: [words] };
}

function put(call: Call, source: Source, user: User, given: Given): Member {
  const { state } = call.box;
  const { place } = source;
  const before = place.memberships.get(user.id);
  place.members.set(user.id, given.access_level);
  place.memberships.set(user.id, {
    createdAt: before?.createdAt ?? state.now(),
    createdById: before ? before.createdById : call.authenticate().id,
    expiresAt: given.expires_at ?? null,
  });
  return { user, level: given.access_level, place };
}

function add(call: Call, source: Source, users: readonly (User | undefined)[], given: Given): Reply {
  checkRank(source, given.access_level);
  const [only] = users;
  if (users.length !== 1) return addAll(call, source, users, given);
  if (!only) throw notFound("User");
  if (directMembers(call, source).some(({ user }) => user === only)) {
    throw refuse(409, "Member already exists");
  }
  if (only.bot) throw refuse(400, { base: ["project bots cannot be added to other groups / projects"] });
  const problem = problemOf(call, source, only, given);
  if (problem) throw refuse(400, problem);
  return created(memberEntity(call, put(call, source, only, given)));
}

/** Several at once: one answer tells what became of them. */
function addAll(call: Call, source: Source, users: readonly (User | undefined)[], given: Given): Reply {
  const failures: Record<string, string> = {};
  for (const user of users) {
    if (!user) continue;
    const problem = problemOf(call, source, user, given);
    if (problem) failures[user.username] = Object.values(problem).flat().join(" and ");
    else put(call, source, user, given);
  }
  const failed = Object.keys(failures).length > 0;
  return created(failed ? { status: "error", message: failures } : { status: "success" });
}

function findUsers(call: Call, ids: string | undefined, names: string | undefined): (User | undefined)[] {
  const { users } = call.box.state;
  if (ids !== undefined) return ids.split(",").map((id) => users.get(Number(id)));
  const all = [...users.values()];
  return (names ?? "").split(",").map((name) => all.find(({ username }) => username === name.trim()));
}

function remove(call: Call, source: Source, userId: number): Reply {
  const member = getMember(directMembers(call, source), userId);
  const self = call.authenticate().id === userId;
  if (!self) checkManager(source);
  if (!self || source.level < member.level) checkRank(source, member.level);
  const owners = directMembers(call, source).filter((one) => one.level >= LEVEL.owner);
  const last = member.level >= LEVEL.owner && owners.length === 1;
  if (last && (source.kind === "group" || !source.place.members.has(userId))) throw forbidden();
  source.place.members.delete(userId);
  source.place.memberships.delete(userId);
  return noContent();
}

function routesOf(kind: Source["kind"]): Route[] {
  const base = `/${kind}s/:id/members`;
  const readable = (call: Call): Source => {
    const source = getSource(call, kind);
    checkReadable(call, source);
    return source;
  };
  return [
    route({
      method: "GET",
      path: base,
      authenticate: "lazily",
      params: listParams,
      handle: (call, given) => list(call, directMembers(call, readable(call)), given),
    }),
    route({
      method: "GET",
      path: `${base}/all`,
      since: "memberLookupAll",
      authenticate: "lazily",
      params: listParams,
      handle: (call, given) => list(call, allMembers(call, readable(call)), given),
    }),
    route({
      method: "GET",
      path: `${base}/:user_id`,
      authenticate: "lazily",
      params: { user_id: integer },
      handle: (call, { user_id: id }) =>
        ok(memberEntity(call, getMember(directMembers(call, readable(call)), id))),
    }),
    route({
      method: "GET",
      path: `${base}/all/:user_id`,
      since: "memberLookupAll",
      authenticate: "lazily",
      params: { user_id: integer },
      handle: (call, { user_id: id }) =>
        ok(memberEntity(call, getMember(allMembers(call, readable(call)), id))),
    }),
    ...addRoutes(kind, base),
    ...changeRoutes(kind, base),
  ];
}

function changeRoutes(kind: Source["kind"], base: string): Route[] {
  return [
    route({
      method: "PUT",
      path: `${base}/:user_id`,
      params: { user_id: integer, access_level: level, expires_at: date.optional() },
      handle: (call, { user_id: id, ...given }) => {
        const source = getSource(call, kind);
        checkManager(source);
        const member = getMember(directMembers(call, source), id);
        checkRank(source, Math.max(member.level, given.access_level));
        const problem = problemOf(call, source, member.user, given);
        if (problem) throw refuse(400, problem);
        return ok(memberEntity(call, put(call, source, member.user, given)));
      },
    }),
    route({
      method: "DELETE",
      path: `${base}/:user_id`,
      params: { user_id: integer },
      handle: (call, { user_id: id }) => remove(call, getSource(call, kind), id),
    }),
  ];
}

function addRoutes(kind: Source["kind"], base: string): Route[] {
  const rest = { access_level: level, expires_at: date.optional() };
  const manager = (call: Call): Source => {
    const source = getSource(call, kind);
    checkManager(source);
    return source;
  };
  return [
    route({
      method: "POST",
      path: base,
      since: "memberByUsername",
      params: { ...rest, user_id: text.optional(), username: text.optional() },
      needsOneOf: ["user_id", "username"],
      rules: { mutuallyExclusive: [["user_id", "username"]] },
      handle: (call, { user_id: ids, username, ...given }) =>
        add(call, manager(call), findUsers(call, ids, username), given),
    }),
    route({
      method: "POST",
      path: base,
      until: "memberByUsername",
      params: { ...rest, user_id: text },
      handle: (call, { user_id: ids, ...given }) =>
        add(call, manager(call), findUsers(call, ids, undefined), given),
    }),
  ];
}

export const memberRoutes: readonly Route[] = [...routesOf("project"), ...routesOf("group")];
