// Where code lives: groups and projects, and what they know of their members.

export type Visibility = "private" | "internal" | "public";

/** What a membership is beside its level. */
export interface Membership {
  readonly createdAt: string;
  readonly createdById: number | null;
  /** `YYYY-MM-DD`; counts no more from that day on. */
  expiresAt: string | null;
}

/** A group that was invited as a whole: its members have at most this level. */
export interface Share {
  readonly id: number;
  readonly level: number;
  readonly expiresAt: string | null;
}

/** What groups and projects have in common. */
export interface Place {
  readonly id: number;
  /** User id → access level. */
  readonly members: Map<number, number>;
  /** Of those members whose membership was made by the API or has an end. */
  readonly memberships: Map<number, Membership>;
  /** Id of an invited group → what was given to it. */
  readonly shares: Map<number, Share>;
}

/** `owner` since 18. */
export const CREATION_LEVELS = ["noone", "owner", "maintainer", "developer", "administrator"] as const;
export type CreationLevel = (typeof CREATION_LEVELS)[number];

export interface Group extends Place {
  path: string;
  name: string;
  fullPath: string;
  parentId: number | null;
  description: string;
  visibility: Visibility;
  /** Who may create projects in it. */
  projectCreationLevel: CreationLevel;
  subgroupCreationLevel: "owner" | "maintainer";
  archived: boolean;
  /** `YYYY-MM-DD`: somebody asked to delete it on this day. */
  markedForDeletionOn: string | null;
  readonly createdAt: string;
}

export interface Protection {
  /** Access level from which a push is allowed; 0 is nobody. */
  readonly pushLevel: number;
  readonly allowForcePush: boolean;
}

export type ImportStatus = "none" | "scheduled" | "started" | "finished" | "failed" | "canceled";

export interface Import {
  /** GitLab's name of the source; null for a fork. */
  readonly type: string | null;
  /** Without credentials. */
  readonly url: string | null;
  status: ImportStatus;
  error: string | null;
}

export interface Project extends Place {
  name: string;
  path: string;
  namespaceId: number;
  fullPath: string;
  readonly creatorId: number;
  description: string;
  readonly createdAt: string;
  readonly protectedBranches: Map<string, Protection>;
  visibility: Visibility;
  lastActivityAt: string;
  updatedAt: string;
  defaultBranch: string;
  emptyRepo: boolean;
  archived: boolean;
  repositoryEnabled: boolean;
  buildsEnabled: boolean;
  topics: readonly string[];
  import: Import | null;
  forkedFromId: number | null;
  forksCount: number;
  /** `YYYY-MM-DD`: somebody asked to delete it on this day; it can be restored. */
  markedForDeletionOn: string | null;
  /** It is being deleted: gone for everybody, though its row is still there. */
  pendingDelete: boolean;
}
