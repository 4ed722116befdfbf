import { randomBytes } from "node:crypto";
import { randomToken } from "../kernel/ids.ts";
import { LEVEL } from "./access.ts";
import { isNamespacePath } from "./names.ts";
import {
  digestOf,
  type GranularScope,
  type Group,
  type Project,
  type Resource,
  type State,
  type Token,
  type User,
  type UserCondition,
} from "./state.ts";

export interface NewUser {
  readonly username: string;
  readonly name?: string;
  readonly email?: string;
  readonly admin?: boolean;
  readonly bot?: boolean;
  readonly condition?: UserCondition;
  readonly furtherConditions?: readonly UserCondition[];
  readonly dpopRequired?: boolean;
  /** Groups at the top; default: yes. */
  readonly canCreateGroup?: boolean;
}

export interface NewToken {
  readonly user: User;
  /** Default: `api`. */
  readonly scopes?: readonly string[];
  readonly name?: string;
  readonly description?: string | null;
  readonly kind?: Token["kind"];
  /** With these the token is a fine-grained one and `scopes` is `granular`. */
  readonly granularScopes?: readonly GranularScope[];
  /** `YYYY-MM-DD`; null never expires. Default: 30 days from now, as GitLab proposes. */
  readonly expiresAt?: string | null;
  readonly revoked?: boolean;
}

export interface NewResourceToken extends Omit<NewToken, "user" | "kind"> {
  readonly resource: Resource;
  /** Default 40. */
  readonly accessLevel?: number;
}

/** The value is told once and not kept. */
export type ToldToken = Token & { readonly value: string };

const DAY = 24 * 60 * 60 * 1000;

/** Throws a `RangeError` for a name that is taken or impossible. */
export function insertUser(state: State, given: NewUser & { readonly botOf?: Resource }): User {
  const { username } = given;
  const taken = [...state.users.values()].some((user) => user.username === username);
  if (taken || !isNamespacePath(username)) throw new RangeError(`no good username: ${username}`);
  const user: User = {
    id: state.nextId("user"),
    username,
    name: given.name ?? username,
    email: given.email ?? `${username}@example.com`,
    namespaceId: state.nextId("namespace"),
    condition: given.condition ?? "active",
    furtherConditions: given.furtherConditions ?? [],
    admin: given.admin ?? false,
    bot: given.bot ?? false,
    botOf: given.botOf ?? null,
    dpopRequired: given.dpopRequired ?? false,
    projectsLimit: 100_000,
    canCreateGroup: given.canCreateGroup ?? true,
    createdAt: state.now(),
  };
  state.users.set(user.id, user);
  return user;
}

export function insertToken(state: State, given: NewToken, previous: Token | null = null): ToldToken {
  const value = `${state.settings.tokenPrefix}${randomToken(15)}`;
  const inThirtyDays = new Date(state.clock.now() + 30 * DAY).toISOString().slice(0, 10);
  const id = state.nextId("token");
  const token: Token = {
    id,
    userId: given.user.id,
    kind: given.kind ?? "personal",
    name: given.name ?? "token",
    description: given.description ?? null,
    scopes: given.granularScopes ? ["granular"] : (given.scopes ?? ["api"]),
    granularScopes: given.granularScopes ?? [],
    familyId: previous?.familyId ?? id,
    createdAt: state.now(),
    expiresAt: given.expiresAt === undefined ? inThirtyDays : given.expiresAt,
    revoked: given.revoked ?? false,
    lastUsedAt: null,
    lastUsedIps: [],
  };
  state.tokens.set(digestOf(value), token);
  return { ...token, value };
}

/** Throws a `RangeError` when there is no such project or group. */
export function insertResourceToken(state: State, given: NewResourceToken): ToldToken {
  const { type, id } = given.resource;
  const place: Project | Group | undefined =
    type === "project" ? state.projects.get(id) : state.groups.get(id);
  if (!place) throw new RangeError(`there is no ${type} ${id}`);
  const username = `${type}_${id}_bot_${randomBytes(16).toString("hex")}`;
  const bot = insertUser(state, {
    username,
    name: given.name ?? "token",
    email: `${username}@noreply.localhost`,
    bot: true,
    botOf: given.resource,
  });
  place.members.set(bot.id, given.accessLevel ?? LEVEL.maintainer);
  return insertToken(state, { ...given, user: bot });
}
