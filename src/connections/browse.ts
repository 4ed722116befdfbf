import { Fault } from "../faults/fault.ts";
import type { Listing, ListedBranch, TreeEntry, Group } from "../gitlab/browse.ts";
import type { Call, GitLab, Project } from "../gitlab/gitlab.ts";
import { MAINTAINER, roleName } from "../gitlab/roles.ts";
import type { Connections } from "./connections.ts";

/** What a person chooses from before linking. Every list is one page, in one round trip however large the instance is. */
export interface Browser {
  listGroups(connection: string, wish: GroupWish, call?: Call): Promise<Listing<Group>>;
  listProjects(connection: string, wish: ProjectWish, call?: Call): Promise<Listing<ListedProject>>;
  listBranches(connection: string, project: string, wish: Wish, call?: Call): Promise<Listing<ListedBranch>>;
  /** A folder's entries, or one file: what stands at this path. Throws `NOT_FOUND`. */
  look(connection: string, project: string, wish: PathWish, call?: Call): Promise<Looked>;
}

interface Wish {
  readonly cursor?: string | undefined;
  /** Searched by GitLab. */
  readonly search?: string | undefined;
}

export interface GroupWish extends Wish {
  /** Id or full path: the groups directly below it; else the topmost ones that the token's user is a member of. */
  readonly parent?: string | undefined;
}

export interface ProjectWish extends Wish {
  /** Id or full path: its projects and those of all groups below it. */
  readonly group?: string | undefined;
}

export interface PathWish {
  /** Default: the project's default branch. */
  readonly ref?: string | undefined;
  /** Empty: the topmost folder. */
  readonly path: string;
  readonly cursor?: string | undefined;
}

export interface ListedProject {
  readonly id: number;
  readonly path: string;
  readonly webUrl: string;
  readonly defaultBranch: string | null;
  readonly archived: boolean;
  readonly pendingDeletion: boolean;
  readonly empty: boolean;
  /** As far as the list tells; null: it does not. */
  readonly accessLevel: number | null;
  /** null: the role shows only when it is linked. */
  readonly canDeploy: boolean | null;
  /** Why not, or what to know before. */
  readonly reason: string | null;
}

export interface Looked {
  readonly ref: string;
  readonly path: string;
  readonly entries: readonly TreeEntry[] | null;
  readonly next: string | null;
  readonly content: Uint8Array | null;
}

/** By keyset GitLab links from every page to a next one, also from the last, which is known by not being full. */
const FULL_PAGE = 100;

export function createBrowser(connections: Pick<Connections, "get" | "open">): Browser {
  const openByName = async (name: string): Promise<{ gitlab: GitLab; filtersByRole: boolean }> => {
    const { id, version } = await connections.get(name);
    return { gitlab: (await connections.open(id)).gitlab, filtersByRole: knowsRoleFilter(version) };
  };
  return {
    async listGroups(connection, { parent, ...wish }, call) {
      const { gitlab } = await openByName(connection);
      if (parent === undefined) return gitlab.listGroups({ ...wish, topLevelOnly: true }, call);
      return gitlab.listGroups({ ...wish, parentId: await findGroupId(gitlab, parent, call) }, call);
    },
    async listProjects(connection, wish, call) {
      const { gitlab, filtersByRole } = await openByName(connection);
      return listProjects(gitlab, wish, filtersByRole, call);
    },
    async listBranches(connection, project, wish, call) {
      const { gitlab } = await openByName(connection);
      return gitlab.listBranches((await findProject(gitlab, project, call)).id, wish, call);
    },
    async look(connection, project, wish, call) {
      const { gitlab } = await openByName(connection);
      return look(gitlab, await findProject(gitlab, project, call), wish, call);
    },
  };
}

/**
 * `permissions` leaves out what is inherited from a group above (before 18.1) and what an invited group brings; GitLab's own filter knows both.
 * So the same page is asked for a second time, at once, with the filter: both lists have one order, so that it names every project of the page that passes.
 */
async function listProjects(
  gitlab: GitLab,
  { group, ...wish }: ProjectWish,
  filtersByRole: boolean,
  call?: Call,
): Promise<Listing<ListedProject>> {
  const groupId = group === undefined ? undefined : await findGroupId(gitlab, group, call);
  const query = { ...wish, groupId };
  const aligned = filtersByRole && (wish.cursor === undefined || /(^|&)id_(before|after)=/.test(wish.cursor));
  const [page, deployable] = await Promise.all([
    gitlab.listProjects(query, call),
    aligned ? gitlab.listProjects({ ...query, minAccessLevel: MAINTAINER }, call) : null,
  ]);
  const ids = deployable && new Set(deployable.items.map(({ id }) => id));
  const next = page.items.length < FULL_PAGE ? null : page.next;
  return { ...page, next, items: page.items.map((project) => toListed(project, ids && ids.has(project.id))) };
}

function toListed(project: Project, passes: boolean | null): ListedProject {
  const { id, path, webUrl, defaultBranch, archived, pendingDeletion, emptyRepo, accessLevel } = project;
  const enough = passes ?? (accessLevel === null ? null : accessLevel >= MAINTAINER);
  const obstacle = obstacleOf(project) ?? (enough === false ? roleTooLow(accessLevel) : null);
  const canDeploy = obstacle === null ? enough : false;
  const note = emptyRepo ? "it is empty: the first push is deployed" : null;
  const reason =
    obstacle ?? (enough === null ? "GitLab's list does not tell your role in this project" : note);
  return {
    id,
    path,
    webUrl,
    defaultBranch,
    archived,
    pendingDeletion,
    empty: emptyRepo,
    accessLevel: enough === true && (accessLevel ?? 0) < MAINTAINER ? MAINTAINER : accessLevel,
    canDeploy,
    reason,
  };
}

function obstacleOf({ pendingDeletion, archived, repositoryDisabled }: Project): string | null {
  if (pendingDeletion) return "it is going to be deleted";
  if (archived) return "it is archived";
  return repositoryDisabled ? "its repository is switched off" : null;
}

function roleTooLow(level: number | null): string {
  const role = level === null ? null : roleName(level);
  return role === null ? "it needs the role Maintainer" : `it needs the role Maintainer, yours is ${role}`;
}

/** `min_access_level` is known to the lists of all projects since 11.2, to those of groups since 12; older versions ignore it silently. */
function knowsRoleFilter(version: string | null): boolean {
  return version !== null && Number(version.split(".")[0]) >= 13;
}

async function findGroupId(gitlab: GitLab, group: string, call?: Call): Promise<number> {
  return /^\d+$/.test(group) ? Number(group) : (await gitlab.getGroup(group, call)).id;
}

async function findProject(gitlab: GitLab, project: string, call?: Call): Promise<Project> {
  return gitlab.getProject(/^\d+$/.test(project) ? Number(project) : project, call);
}

async function look(gitlab: GitLab, project: Project, wish: PathWish, call?: Call): Promise<Looked> {
  const ref = wish.ref ?? project.defaultBranch;
  if (ref === null || (project.emptyRepo && wish.ref === undefined)) throw Fault.of("REPOSITORY_EMPTY", "");
  const path = wish.path.replace(/^\/+|\/+$/g, "");
  if (wish.cursor === undefined && path !== "") {
    const file = await gitlab.findFile(project.id, path, ref, call);
    if (file) return { ref, path, entries: null, next: null, content: file.content };
  }
  const page = await gitlab.listTree(project.id, { ref, path, cursor: wish.cursor }, call);
  // Old versions answer a folder that is not there with an empty list; git has no empty folders.
  if (page.items.length === 0 && path !== "" && wish.cursor === undefined)
    throw Fault.of("NOT_FOUND", "", { message: `There is nothing at ${path} in ${ref}` });
  return { ref, path, entries: page.items, next: page.next, content: null };
}
