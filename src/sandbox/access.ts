import { matchesWildcard } from "./patterns.ts";
import type { Place, Share } from "./places.ts";
import type { Group, Project, Protection, State, User } from "./state.ts";

export const LEVEL = { guest: 10, reporter: 20, developer: 30, maintainer: 40, owner: 50 } as const;

/** The level a user has in a project by membership, group membership, invited groups or ownership; 0 for none. */
export function levelIn(state: State, user: User | null, project: Project): number {
  if (user === null) return 0;
  return user.admin ? LEVEL.owner : memberLevel(state, user, project);
}

/** Membership only: that an administrator may do everything makes nobody a member. */
export function memberLevel(state: State, user: User, project: Project): number {
  if (user.namespaceId === project.namespaceId) return LEVEL.owner;
  return Math.max(
    directLevel(state, user, project),
    sharedLevel(state, user, project),
    groupLevel(state, user, project.namespaceId),
  );
}

export function directLevel(state: State, user: User, place: Pick<Place, "members" | "memberships">): number {
  const level = place.members.get(user.id) ?? 0;
  return level > 0 && isOver(state, place.memberships.get(user.id)?.expiresAt) ? 0 : level;
}

/** The highest level in a group and its ancestors, invited groups included. */
export function groupLevel(state: State, user: User, groupId: number): number {
  let level = 0;
  for (let group = state.groups.get(groupId); group; group = parentOf(state, group)) {
    level = Math.max(level, directLevel(state, user, group), sharedLevel(state, user, group));
  }
  return level;
}

/** The same by records of memberships alone. */
export function recordedGroupLevel(state: State, user: User, group: Group): number {
  return Math.max(...ancestry(state, group).map((place) => directLevel(state, user, place)));
}

/** What comes from groups that were invited: the lower one of the member's level there and of what was given to the group. */
function sharedLevel(state: State, user: User, place: Pick<Place, "shares">): number {
  if (place.shares.size === 0) return 0;
  return Math.max(
    0,
    ...[...place.shares].map(([groupId, share]) => levelByShare(state, user, groupId, share)),
  );
}

function levelByShare(state: State, user: User, groupId: number, share: Share): number {
  const group = state.groups.get(groupId);
  if (!group || isOver(state, share.expiresAt)) return 0;
  return Math.min(share.level, recordedGroupLevel(state, user, group));
}

function isOver(state: State, date: string | null | undefined): boolean {
  return date !== null && date !== undefined && state.now().slice(0, 10) >= date;
}

function parentOf(state: State, group: Group): Group | undefined {
  return group.parentId === null ? undefined : state.groups.get(group.parentId);
}

/** Whether an IP allow-list on the group or above it leaves the caller out (`faults.ipRestrictedGroups`). */
export function isShutOut(state: State, groupId: number): boolean {
  for (let group = state.groups.get(groupId); group; group = parentOf(state, group)) {
    if (state.faults.ipRestrictedGroups.includes(group.id)) return true;
  }
  return false;
}

/** A group and those above it, itself first. */
export function ancestry(state: State, group: Group): Group[] {
  const parent = parentOf(state, group);
  return [group, ...(parent ? ancestry(state, parent) : [])];
}

/** Invisible projects are answered as if they did not exist. */
export function canSee(state: State, user: User | null, project: Project): boolean {
  if (isShutOut(state, project.namespaceId)) return false;
  if (project.pendingDelete) return false;
  if (project.visibility === "public") return true;
  if (user === null) return false;
  return project.visibility === "internal" || levelIn(state, user, project) > 0;
}

/** A group is also seen by those who are members of something below it. */
export function canSeeGroup(state: State, user: User | null, group: Group): boolean {
  const owns = user !== null && groupLevel(state, user, group.id) >= LEVEL.owner;
  if (!owns && isShutOut(state, group.id)) return false;
  if (group.visibility === "public") return true;
  if (user === null) return false;
  if (group.visibility === "internal" || user.admin || groupLevel(state, user, group.id) > 0) return true;
  const below = `${group.fullPath}/`;
  return (
    [...state.groups.values()].some(
      (other) => other.fullPath.startsWith(below) && directLevel(state, user, other) > 0,
    ) ||
    [...state.projects.values()].some(
      (other) => other.fullPath.startsWith(below) && directLevel(state, user, other) > 0,
    )
  );
}

export function canReadCode(state: State, user: User | null, project: Project): boolean {
  if (!project.repositoryEnabled || !canSee(state, user, project)) return false;
  return project.visibility !== "private" || levelIn(state, user, project) >= LEVEL.reporter;
}

/**
 * What protects a branch: its own rule, or those whose `*` match it. Of several rules each permits what it permits, so that the most
 * open one counts.
 */
export function protectionOf(project: Pick<Project, "protectedBranches">, branch: string): Protection | null {
  const rules = [...project.protectedBranches]
    .filter(([pattern]) => matchesWildcard(pattern, branch))
    .map(([, protection]) => protection);
  if (rules.length === 0) return null;
  const levels = rules.map(({ pushLevel }) => pushLevel).filter((level) => level > 0);
  return {
    pushLevel: levels.length === 0 ? 0 : Math.min(...levels),
    allowForcePush: rules.every(({ allowForcePush }) => allowForcePush),
  };
}

/** Whether a push of this branch is allowed: Developers, unless the branch is protected. */
export function canPushTo(state: State, user: User, project: Project, branch: string): boolean {
  const level = levelIn(state, user, project);
  const protection = protectionOf(project, branch);
  if (!protection) return level >= LEVEL.developer;
  return protection.pushLevel > 0 && level >= protection.pushLevel;
}

const CREATORS: Readonly<Record<Group["projectCreationLevel"], number>> = {
  noone: Number.POSITIVE_INFINITY,
  administrator: Number.POSITIVE_INFINITY,
  owner: LEVEL.owner,
  maintainer: LEVEL.maintainer,
  developer: LEVEL.developer,
};

/** Groups at the top. Groups inside of others are a matter of the level there. */
export function canCreateGroups(state: State, user: User): boolean {
  return user.admin || (user.canCreateGroup && state.settings.canCreateGroup);
}

/** Where projects may be created: the own namespace, and groups as their `project_creation_level` says. */
export function canCreateIn(state: State, user: User, namespaceId: number): boolean {
  if (namespaceId === user.namespaceId) return true;
  const group = state.groups.get(namespaceId);
  if (!group || group.markedForDeletionOn !== null || group.projectCreationLevel === "noone") return false;
  return user.admin || groupLevel(state, user, namespaceId) >= CREATORS[group.projectCreationLevel];
}
