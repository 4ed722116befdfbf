import { LEVEL } from "./access.ts";
import { readRefs } from "./git/read.ts";
import type { Repositories } from "./git/repositories.ts";
import { writeCommit } from "./git/write.ts";
import { insertDeployKey, insertSshKey } from "./keys.ts";
import { isBranchName, isNamespacePath, problemsOfPath } from "./names.ts";
import {
  insertResourceToken,
  insertToken,
  insertUser,
  type NewResourceToken,
  type NewToken,
  type NewUser,
  type ToldToken,
} from "./seed-people.ts";
import type { DeployKey, Group, Project, SshKey, State, User, Visibility } from "./state.ts";

export type { NewResourceToken, NewToken, NewUser } from "./seed-people.ts";

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
  /** GitLab protects the default branch: Maintainers push, nobody force pushes. False leaves it open. */
  readonly protectDefaultBranch?: boolean;
}

/** How tests, the demonstration and the API put things into a sandbox. */
export interface Seed {
  /** The first user, made at start as GitLab does. */
  readonly root: User;
  createUser(user: NewUser): User;
  /** The value is told once and not kept. */
  createToken(token: NewToken): ToldToken;
  /** A project or group access token, with the bot user that GitLab makes for it. */
  createResourceToken(token: NewResourceToken): ToldToken;
  revokeToken(id: number): void;
  /** Throws a `RangeError` for what is no OpenSSH public key. `expiresAt` is a time as in GitLab's answers; null: never. */
  addSshKey(user: User, key: string, options?: { readonly expiresAt?: string | null }): SshKey;
  /** A deploy key of a project, made by the project's creator unless told otherwise. */
  addDeployKey(
    project: Project,
    key: string,
    options?: { readonly canPush?: boolean; readonly creator?: User; readonly expiresAt?: string | null },
  ): DeployKey;
  createGroup(group: {
    readonly path: string;
    readonly owner?: User;
    readonly visibility?: Visibility;
  }): Group;
  createProject(project: NewProject): Promise<Project>;
  /** Levels as in GitLab: 10 guest, 20 reporter, 30 developer, 40 maintainer, 50 owner; 0 removes. */
  addMember(place: Project | Group, user: User, level: number): void;
  /** Commits files to a branch without a push, so that no webhook tells of it. Returns the new commit. */
  commit(
    project: Project,
    files: Readonly<Record<string, string | Uint8Array | null>>,
    options?: { readonly branch?: string; readonly message?: string },
  ): Promise<string>;
}

/** Throws a `RangeError` for names that GitLab would refuse. */
export function createSeed(state: State, repositories: Repositories): Seed {
  const root = insertUser(state, { username: "root", name: "Administrator", admin: true });
  const commit: Seed["commit"] = async (project, files, options = {}) => {
    const branch = options.branch ?? project.defaultBranch;
    return repositories.exclusively(project, async () => {
      const author = state.users.get(project.creatorId) ?? root;
      const parent = (await readRefs(repositories, project)).get(`refs/heads/${branch}`) ?? null;
      const message = options.message ?? (parent === null ? "Initial commit" : "Update files");
      await writeCommit(repositories, project, {
        branch,
        parent,
        message,
        authorName: author.name,
        authorEmail: author.email,
        at: state.clock.now(),
        changes: Object.entries(files).map(([path, content]) => ({
          path,
          content: typeof content === "string" ? Buffer.from(content) : content,
        })),
      });
      project.emptyRepo = false;
      return (await readRefs(repositories, project)).get(`refs/heads/${branch}`) ?? "";
    });
  };
  return {
    root,
    commit,
    createUser: (user) => insertUser(state, user),
    createToken: (token) => insertToken(state, token),
    createResourceToken: (token) => insertResourceToken(state, token),
    revokeToken: (id) => {
      for (const token of state.tokens.values()) if (token.id === id) token.revoked = true;
    },
    addSshKey: (user, key, { expiresAt = null } = {}) =>
      insertSshKey(state, { user, title: "key", key, expiresAt, usageType: "auth_and_signing" }),
    addDeployKey: (project, key, options = {}) => insertDeployKey(state, project, key, options),
    createGroup: (group) =>
      ensureGroup(state, group.path, group.owner ?? root, group.visibility ?? "private"),
    createProject: async (given) => {
      const project = insertProject(state, given, given.owner ?? root);
      if (given.files) await commit(project, given.files);
      return project;
    },
    addMember: (place, user, level) => {
      if (level === 0) place.members.delete(user.id);
      else place.members.set(user.id, level);
    },
  };
}

function ensureGroup(state: State, fullPath: string, owner: User, visibility: Visibility): Group {
  const existing = [...state.groups.values()].find((group) => group.fullPath === fullPath);
  if (existing) return existing;
  const slash = fullPath.lastIndexOf("/");
  const path = fullPath.slice(slash + 1);
  if (!isNamespacePath(path)) throw new RangeError(`no good path of a group: ${fullPath}`);
  const parent = slash === -1 ? null : ensureGroup(state, fullPath.slice(0, slash), owner, visibility);
  const group: Group = {
    id: state.nextId("namespace"),
    path,
    name: path,
    fullPath,
    parentId: parent?.id ?? null,
    visibility,
    members: new Map([[owner.id, LEVEL.owner]]),
    createdAt: state.now(),
  };
  state.groups.set(group.id, group);
  return group;
}

function insertProject(state: State, given: NewProject, owner: User): Project {
  const {
    visibility = "private",
    defaultBranch = "main",
    description = "",
    protectDefaultBranch = true,
  } = given;
  const slash = given.path.lastIndexOf("/");
  const path = given.path.slice(slash + 1);
  const prefix = slash === -1 ? owner.username : given.path.slice(0, slash);
  const fullPath = `${prefix}/${path}`;
  checkProject(state, path, fullPath, defaultBranch);
  const project: Project = {
    id: state.nextId("project"),
    name: given.name ?? path,
    path,
    namespaceId: ensureNamespace(state, prefix, owner, visibility),
    fullPath,
    creatorId: owner.id,
    description,
    createdAt: state.now(),
    members: new Map(),
    protectedBranches: new Map(
      protectDefaultBranch ? [[defaultBranch, { pushLevel: LEVEL.maintainer, allowForcePush: false }]] : [],
    ),
    visibility,
    lastActivityAt: state.now(),
    defaultBranch,
    emptyRepo: true,
    archived: false,
    repositoryEnabled: true,
    buildsEnabled: true,
  };
  state.projects.set(project.id, project);
  state.projectsByPath.set(fullPath.toLowerCase(), project);
  return project;
}

function checkProject(state: State, path: string, fullPath: string, defaultBranch: string): void {
  if (problemsOfPath(path, false).length > 0) throw new RangeError(`no good path of a project: ${fullPath}`);
  if (!isBranchName(defaultBranch)) throw new RangeError(`no good name of a branch: ${defaultBranch}`);
  if (state.projectsByPath.has(fullPath.toLowerCase())) {
    throw new RangeError(`there is a project ${fullPath} already`);
  }
}

/** The id of a user's own namespace, or of a group that is made when it is missing. */
function ensureNamespace(state: State, path: string, owner: User, visibility: Visibility): number {
  for (const user of state.users.values()) if (user.username === path) return user.namespaceId;
  return ensureGroup(state, path, owner, visibility).id;
}
