import type { Group, Project, Protection, State, User } from "./state.ts";

export const LEVEL = { guest: 10, reporter: 20, developer: 30, maintainer: 40, owner: 50 } as const;

/** The level a user has in a project by membership, group membership or ownership; 0 for none. */
export function levelIn(state: State, user: User | null, project: Project): number {
  if (user === null) return 0;
  if (user.admin || user.namespaceId === project.namespaceId) return LEVEL.owner;
  return Math.max(directLevel(user, project), groupLevel(state, user, project.namespaceId));
}

export function directLevel(user: User, place: Pick<Project | Group, "members">): number {
  return place.members.get(user.id) ?? 0;
}

/** The highest level in a group and its ancestors. */
export function groupLevel(state: State, user: User, groupId: number): number {
  let level = 0;
  for (let group = state.groups.get(groupId); group; group = parentOf(state, group)) {
    level = Math.max(level, directLevel(user, group));
  }
  return level;
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

/** Invisible projects are answered as if they did not exist. */
export function canSee(state: State, user: User | null, project: Project): boolean {
  if (isShutOut(state, project.namespaceId)) return false;
  if (project.visibility === "public") return true;
  if (user === null) return false;
  return project.visibility === "internal" || levelIn(state, user, project) > 0;
}

export function canReadCode(state: State, user: User | null, project: Project): boolean {
  if (!project.repositoryEnabled || !canSee(state, user, project)) return false;
  return project.visibility !== "private" || levelIn(state, user, project) >= LEVEL.reporter;
}

/**
 * What protects a branch: its own rule, or those whose `*` match it. Of several rules each permits what it permits, so that the most
 * open one counts.
 */
export function protectionOf(project: Project, branch: string): Protection | null {
  const rules = [...project.protectedBranches]
    .filter(([pattern]) => pattern === branch || (pattern.includes("*") && matches(pattern, branch)))
    .map(([, protection]) => protection);
  if (rules.length === 0) return null;
  const levels = rules.map(({ pushLevel }) => pushLevel).filter((level) => level > 0);
  return {
    pushLevel: levels.length === 0 ? 0 : Math.min(...levels),
    allowForcePush: rules.every(({ allowForcePush }) => allowForcePush),
  };
}

function matches(pattern: string, branch: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(branch);
}

/** Whether a push of this branch is allowed: Developers, unless the branch is protected. */
export function canPushTo(state: State, user: User, project: Project, branch: string): boolean {
  const level = levelIn(state, user, project);
  const protection = protectionOf(project, branch);
  if (!protection) return level >= LEVEL.developer;
  return protection.pushLevel > 0 && level >= protection.pushLevel;
}

/** Where projects may be created: the own namespace, and groups from Developer up (GitLab's default setting). */
export function canCreateIn(state: State, user: User, namespaceId: number): boolean {
  if (namespaceId === user.namespaceId) return true;
  if (!state.groups.has(namespaceId)) return false;
  return user.admin || groupLevel(state, user, namespaceId) >= LEVEL.developer;
}
