import { LEVEL } from "./access.ts";
import { isBranchName, problemsOfGroupPath, problemsOfPath } from "./names.ts";
import type { Group, Project, State, User, Visibility } from "./state.ts";

export interface NewGroup {
  /** `group/sub`; groups above it that do not exist are made, too. */
  readonly path: string;
  /** Default: the administrator. */
  readonly owner?: User;
  /** Default `private`. */
  readonly visibility?: Visibility;
  readonly name?: string;
  readonly description?: string;
}

export interface NewProject {
  /** `name` in the owner's namespace, or `group/sub/name`; groups that do not exist are made, with the owner as Owner. */
  readonly path: string;
  /** Default: the administrator. */
  readonly owner?: User;
  /** Committed to the default branch. Without files the repository stays empty. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Default `private`. */
  readonly visibility?: Visibility;
  readonly defaultBranch?: string;
  readonly description?: string;
  readonly name?: string;
  readonly topics?: readonly string[];
  /** GitLab protects the default branch: Maintainers push, nobody force pushes. False leaves it open. */
  readonly protectDefaultBranch?: boolean;
}

/** Throws a `RangeError` for a path that GitLab would refuse. */
export function ensureGroup(state: State, given: NewGroup, root: User): Group {
  const existing = state.groupsByPath.get(given.path.toLowerCase());
  if (existing) return existing;
  const { path: fullPath, owner = root, visibility = "private" } = given;
  const slash = fullPath.lastIndexOf("/");
  const path = fullPath.slice(slash + 1);
  if (problemsOfGroupPath(path, slash === -1).length > 0)
    throw new RangeError(`no good path of a group: ${fullPath}`);
  const parent =
    slash === -1 ? null : ensureGroup(state, { path: fullPath.slice(0, slash), owner, visibility }, root);
  const group: Group = {
    id: state.nextId("namespace"),
    path,
    name: given.name ?? path,
    fullPath: parent ? `${parent.fullPath}/${path}` : path,
    parentId: parent?.id ?? null,
    description: given.description ?? "",
    visibility,
    projectCreationLevel: "developer",
    subgroupCreationLevel: "maintainer",
    archived: false,
    markedForDeletionOn: null,
    members: new Map([[owner.id, LEVEL.owner]]),
    memberships: new Map(),
    shares: new Map(),
    createdAt: state.now(),
  };
  state.groups.set(group.id, group);
  state.groupsByPath.set(group.fullPath.toLowerCase(), group);
  return group;
}

/** Puts in the row; the repository comes with its first use. Throws a `RangeError` for what GitLab would refuse. */
export function insertProject(state: State, given: NewProject, owner: User): Project {
  const { visibility = "private", defaultBranch = "main", protectDefaultBranch = true } = given;
  const slash = given.path.lastIndexOf("/");
  const path = given.path.slice(slash + 1);
  const prefix = slash === -1 ? owner.username : given.path.slice(0, slash);
  const fullPath = `${prefix}/${path}`;
  checkProject(state, path, fullPath, defaultBranch);
  const now = state.now();
  const project: Project = {
    id: state.nextId("project"),
    name: given.name ?? path,
    path,
    namespaceId: ensureNamespace(state, prefix, owner, visibility),
    fullPath,
    creatorId: owner.id,
    description: given.description ?? "",
    createdAt: now,
    members: new Map(),
    memberships: new Map(),
    shares: new Map(),
    protectedBranches: new Map(
      protectDefaultBranch ? [[defaultBranch, { pushLevel: LEVEL.maintainer, allowForcePush: false }]] : [],
    ),
    visibility,
    lastActivityAt: now,
    updatedAt: now,
    defaultBranch,
    emptyRepo: true,
    archived: false,
    repositoryEnabled: true,
    buildsEnabled: true,
    topics: given.topics ?? [],
    import: null,
    forkedFromId: null,
    forksCount: 0,
    markedForDeletionOn: null,
    pendingDelete: false,
  };
  state.projects.set(project.id, project);
  state.projectsByPath.set(fullPath.toLowerCase(), project);
  state.formerPaths.delete(fullPath.toLowerCase());
  return project;
}

function checkProject(state: State, path: string, fullPath: string, defaultBranch: string): void {
  if (problemsOfPath(path, false).length > 0) throw new RangeError(`no good path of a project: ${fullPath}`);
  if (!isBranchName(defaultBranch)) throw new RangeError(`no good name of a branch: ${defaultBranch}`);
  if (state.projectsByPath.has(fullPath.toLowerCase()) || state.groupsByPath.has(fullPath.toLowerCase())) {
    throw new RangeError(`there is a project ${fullPath} already`);
  }
}

/** The id of a user's own namespace, or of a group that is made when it is missing. */
function ensureNamespace(state: State, path: string, owner: User, visibility: Visibility): number {
  const group = state.groupsByPath.get(path.toLowerCase());
  if (group) return group.id;
  for (const user of state.users.values()) if (user.username === path) return user.namespaceId;
  return ensureGroup(state, { path, owner, visibility }, owner).id;
}
