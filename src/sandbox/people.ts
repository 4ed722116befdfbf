export type UserCondition =
  | "active"
  | "internal"
  | "pending_approval"
  | "terms_not_accepted"
  | "deactivated"
  | "unconfirmed"
  | "blocked"
  | "ldap_blocked"
  | "banned"
  | "password_expired";

export interface User {
  readonly id: number;
  readonly username: string;
  name: string;
  email: string;
  readonly namespaceId: number;
  condition: UserCondition;
  /** More of them at once: one whose terms are open may be blocked too. GitLab tells the first of §1.4. */
  furtherConditions: readonly UserCondition[];
  admin: boolean;
  bot: boolean;
  /** The project or group whose access tokens this bot stands for. */
  readonly botOf: Resource | null;
  /** Chose to sign every request (DPoP, 17.x): a bare token does not do. */
  dpopRequired: boolean;
  projectsLimit: number;
  canCreateGroup: boolean;
  readonly createdAt: string;
}

export interface Resource {
  readonly type: "project" | "group";
  readonly id: number;
}

/** What a fine-grained token may do, and where. */
export interface GranularScope {
  readonly access: "all_memberships" | "personal_projects" | "selected_memberships" | "user" | "instance";
  readonly projectId: number | null;
  /** A group stands for everything below it. */
  readonly groupId: number | null;
  readonly permissions: readonly string[];
}

export interface Token {
  readonly id: number;
  readonly userId: number;
  readonly kind: "personal" | "impersonation" | "oauth";
  readonly name: string;
  readonly description: string | null;
  /** `granular` alone: a fine-grained token, whose rights are `granularScopes`. */
  readonly scopes: readonly string[];
  readonly granularScopes: readonly GranularScope[];
  /** The first token of a chain of rotations; its successors keep the number. */
  readonly familyId: number;
  readonly createdAt: string;
  /** `YYYY-MM-DD`; dead on that day from 00:00 UTC. */
  expiresAt: string | null;
  revoked: boolean;
  lastUsedAt: string | null;
  /** The five latest addresses, newest first. */
  lastUsedIps: readonly string[];
}
