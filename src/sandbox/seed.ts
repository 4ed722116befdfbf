import { readRefs } from "./git/read.ts";
import type { Repositories } from "./git/repositories.ts";
import { writeCommit } from "./git/write.ts";
import { insertDeployKey, insertSshKey } from "./keys.ts";
import { ensureGroup, insertProject, type NewGroup, type NewProject } from "./seed-places.ts";
import {
  insertResourceToken,
  insertToken,
  insertUser,
  type NewResourceToken,
  type NewToken,
  type NewUser,
  type ToldToken,
} from "./seed-people.ts";
import type { DeployKey, Group, Project, SshKey, State, User } from "./state.ts";

export type { NewResourceToken, NewToken, NewUser } from "./seed-people.ts";

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
  createGroup(group: NewGroup): Group;
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
    createGroup: (group) => ensureGroup(state, group, root),
    createProject: async (given) => {
      const project = insertProject(state, given, given.owner ?? root);
      if (given.files) await commit(project, given.files);
      return project;
    },
    addMember: (place, user, level) => {
      place.memberships.delete(user.id);
      if (level === 0) place.members.delete(user.id);
      else place.members.set(user.id, level);
    },
  };
}
