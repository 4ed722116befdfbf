import { ancestry, canSeeGroup, directLevel, groupLevel, LEVEL, levelIn } from "../access.ts";
import type { Place } from "../places.ts";
import { forbidden } from "../reply.ts";
import type { Call } from "../route.ts";
import type { Group, Project, User } from "../state.ts";
import { getGroup, levelInGroup } from "./find-group.ts";
import { getProject } from "./find-project.ts";

/** A project or a group, as what has members. */
export interface Source {
  readonly kind: "project" | "group";
  readonly place: Project | Group;
  /** The group itself, or the project's, and those above: where members come from beside the place's own. */
  readonly groups: readonly Group[];
  /** What the caller may do there. */
  readonly level: number;
}

export function getSource(call: Call, kind: Source["kind"]): Source {
  const user = call.currentUser();
  const { state } = call.box;
  if (kind === "project") {
    const place = getProject(call);
    const group = state.groups.get(place.namespaceId);
    const groups = group ? ancestry(state, group) : [];
    return { kind, place, groups, level: levelIn(state, user, place) };
  }
  const place = getGroup(call);
  return { kind, place, groups: ancestry(state, place), level: levelInGroup(call, user, place) };
}

/** Those who see a private group only because of something below it do not see its members. */
export function checkReadable(call: Call, source: Source): void {
  const user = call.currentUser();
  const { state } = call.box;
  const hidden = source.kind === "group" && source.place.visibility === "private" && source.level === 0;
  if (hidden && canSeeGroup(state, user, getGroup(call))) throw forbidden();
}

/** Who manages members: Maintainers of a project, Owners of a group. */
export function checkManager(source: Source): void {
  if (source.level < (source.kind === "project" ? LEVEL.maintainer : LEVEL.owner)) throw forbidden();
}

export interface Member {
  readonly user: User;
  readonly level: number;
  /** Where the membership stands. */
  readonly place: Place;
}

/** Members by records of the place itself; the owner of a personal project is one of them. */
export function directMembers(call: Call, { kind, place }: Source): Member[] {
  const { state } = call.box;
  const owner =
    kind === "project" && "namespaceId" in place
      ? [...state.users.values()].find((user) => user.namespaceId === place.namespaceId)
      : undefined;
  const own = call.box.version.has("ownPersonalProjectsAreOwner") ? LEVEL.owner : LEVEL.maintainer;
  return [...(owner ? [{ user: owner, level: own, place }] : []), ...recorded(call, place, owner)];
}

function recorded(call: Call, place: Place, without?: User): Member[] {
  const { state } = call.box;
  return [...place.members.keys()].flatMap((id) => {
    const user = state.users.get(id);
    const level = user ? directLevel(state, user, place) : 0;
    return user && level > 0 && user !== without ? { user, level, place } : [];
  });
}

/** Everybody who is a member in any way, each once with the highest level. */
export function allMembers(call: Call, source: Source): Member[] {
  const inherited = source.groups
    .filter((group) => group !== source.place)
    .flatMap((group) => recorded(call, group));
  const shares = [source.place, ...source.groups].flatMap((place) => invited(call, place));
  const best = new Map<number, Member>();
  for (const member of [...directMembers(call, source), ...inherited, ...shares]) {
    if ((best.get(member.user.id)?.level ?? 0) < member.level) best.set(member.user.id, member);
  }
  return [...best.values()];
}

function invited(call: Call, place: Place): Member[] {
  const { state } = call.box;
  const today = state.now().slice(0, 10);
  return [...place.shares].flatMap(([groupId, share]) => {
    const group = state.groups.get(groupId);
    if (!group || (share.expiresAt !== null && share.expiresAt <= today)) return [];
    return ancestry(state, group)
      .flatMap((one) => recorded(call, one))
      .map((member) => ({ ...member, level: Math.min(member.level, share.level) }));
  });
}

/** The level that groups above give already: a direct membership may not be below it. */
export function inheritedLevel(
  call: Call,
  source: Source,
  user: User,
): { level: number; group: Group | null } {
  const [own, ...above] = source.groups;
  const group = source.kind === "project" ? own : above[0];
  if (!group) return { level: 0, group: null };
  return { level: groupLevel(call.box.state, user, group.id), group };
}
