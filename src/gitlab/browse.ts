import type { Branch, Call, Project } from "./gitlab.ts";

/**
 * What a person chooses from: groups, projects, branches, files. Each list gives one page per request, the first one in one round trip
 * whatever the instance's size. A cursor is opaque, belongs to the same question, and holds nothing secret.
 */
export interface Listing<T> {
  readonly items: readonly T[];
  /** For the next page; null on the last. */
  readonly next: string | null;
  /** How many there are in all; null where GitLab does not count: above 10,000, and in lists by keyset. */
  readonly total: number | null;
}

interface Paging {
  readonly cursor?: string | undefined;
  /** Searched by GitLab, not by us. Empty: everything. */
  readonly search?: string | undefined;
}

export interface GroupQuery extends Paging {
  /** The groups directly below this one; else those of the whole instance that the token's user is a member of. */
  readonly parentId?: number | undefined;
  readonly topLevelOnly?: boolean | undefined;
  /** 10 guest, 20 reporter, 30 developer, 40 maintainer, 50 owner. */
  readonly minAccessLevel?: number | undefined;
}

export interface ProjectQuery extends Paging {
  /** The projects of this group and of all groups below it; else all that the token's user is a member of, newest first. */
  readonly groupId?: number | undefined;
  readonly minAccessLevel?: number | undefined;
  /** Absent: archived ones too. */
  readonly archived?: boolean | undefined;
  /** Small answers, for names to choose from: without access level, and not knowing what is archived or empty. */
  readonly simple?: boolean | undefined;
}

export interface Group {
  readonly id: number;
  /** `acme/shop/web`. */
  readonly path: string;
  readonly name: string;
  readonly webUrl: string;
  readonly parentId: number | null;
  readonly pendingDeletion: boolean;
  /** Who may create projects in it: `noone`, `owner`, `maintainer`, `developer`, `administrator`, or `unknown`. */
  readonly projectCreation: string;
}

export interface Namespace {
  readonly id: number;
  readonly path: string;
  readonly kind: "user" | "group" | "unknown";
}

export interface ListedBranch extends Branch {
  readonly isDefault: boolean;
  readonly isProtected: boolean;
}

export interface TreeEntry {
  readonly name: string;
  readonly path: string;
  /** `commit` is a submodule. */
  readonly type: "tree" | "blob" | "commit" | "unknown";
  /** Git's id of the thing itself. */
  readonly sha: string;
  /** `100644`, `100755`, `120000` (a link), `040000`. */
  readonly mode: string;
}

export interface TreeQuery {
  /** Branch, tag or commit. */
  readonly ref: string;
  /** Folder without slashes at its ends; empty: the root. */
  readonly path?: string | undefined;
  readonly cursor?: string | undefined;
}

export interface FileContent {
  readonly path: string;
  readonly content: Uint8Array;
}

export interface Browse {
  listGroups(query?: GroupQuery, call?: Call): Promise<Listing<Group>>;
  /** By id or by full path. */
  getGroup(group: number | string, call?: Call): Promise<Group>;
  /** By keyset from 12.7 on, so that no page is slower than the first; in a group by page number, which is all GitLab has there. */
  listProjects(query?: ProjectQuery, call?: Call): Promise<Listing<Project>>;
  /** Where the token's user may create: the own namespace and groups. */
  listNamespaces(query?: Paging, call?: Call): Promise<Listing<Namespace>>;
  /**
   * The level that counts, inherited and invited groups' included; 0: no member; null: this version does not say (before 12.4). A project's
   * own `accessLevel` leaves inherited groups (before 18.1) and invited ones out.
   */
  findAccessLevel(projectId: number, userId: number, call?: Call): Promise<number | null>;
  /** Empty for an empty repository. Throws `REPOSITORY_DISABLED`. */
  listBranches(projectId: number, query?: Paging, call?: Call): Promise<Listing<ListedBranch>>;
  /** Throws `REPOSITORY_EMPTY`, `REPOSITORY_DISABLED`; `NOT_FOUND` for a ref or folder that is not there. */
  listTree(projectId: number, query: TreeQuery, call?: Call): Promise<Listing<TreeEntry>>;
  /** null: no such file, or a folder. Throws like `listTree`, and `TOO_LARGE`. */
  findFile(projectId: number, path: string, ref: string, call?: Call): Promise<FileContent | null>;
}
