import { insufficientScope, invalidToken, forbidden, unauthorized } from "./reply.ts";
import { digestOf, type State, type Token, type User, type UserCondition } from "./state.ts";
import type { Version } from "./versions.ts";

export interface Identity {
  readonly user: User;
  readonly token: Token;
}

/** Where a token may stand in a request, in GitLab's order of precedence. */
export interface Credentials {
  readonly parameter: string | undefined;
  readonly privateTokenHeader: string | undefined;
  readonly authorizationHeader: string | undefined;
}

/** What a request asks for: registered scopes beside GitLab's own `api` and `read_api`. `any` admits every living token. */
export interface Demand {
  readonly reads: boolean;
  readonly scopes: readonly string[] | "any";
}

function presentedToken(credentials: Credentials): string | null {
  const bearer = /^Bearer +(\S+) *$/i.exec(credentials.authorizationHeader ?? "")?.[1];
  return credentials.parameter || credentials.privateTokenHeader || bearer || null;
}

export function findToken(state: State, value: string): Identity | null {
  const token = state.tokens.get(digestOf(value));
  const user = token && state.users.get(token.userId);
  return token && user ? { user, token } : null;
}

/**
 * GitLab's `current_user`: token lookup, then expired, then revoked, then the state of the user, then scopes. null when the request
 * carries no token; throws the refusal otherwise. A wrong token is refused even where none is needed.
 */
export function identify(
  state: State,
  version: Version,
  baseUrl: string,
  credentials: Credentials,
  demand: Demand,
): Identity | null {
  const value = presentedToken(credentials);
  if (value === null) return null;
  const identity = findToken(state, value);
  if (!identity) throw unauthorized();
  const { user, token } = identity;
  if (isExpired(state, token)) {
    throw invalidToken("Token is expired. You can either do re-authorization or token refresh.");
  }
  if (token.revoked) throw invalidToken("Token was revoked. You have to re-authorize from the user.");
  const denial = denialOf(user, version, baseUrl);
  if (denial !== null) throw forbidden(denial);
  if (!reaches(token, demand, version)) throw insufficientScope(scopeField(demand, version));
  token.lastUsedAt = state.now();
  return identity;
}

export function isExpired(state: State, token: Token): boolean {
  return token.expiresAt !== null && state.now().slice(0, 10) >= token.expiresAt;
}

function reaches(token: Token, demand: Demand, version: Version): boolean {
  if (demand.scopes === "any" || token.scopes.includes("api")) return true;
  if (!demand.reads) return false;
  if (token.scopes.includes("read_api") && version.has("readApiScope")) return true;
  const registered = new Set(demand.scopes);
  return token.scopes.some((scope) => registered.has(scope));
}

/** All scopes registered for the endpoint, whatever the method: a POST lists `read_api` too, as GitLab's does. */
function scopeField(demand: Demand, version: Version): string {
  const own = demand.scopes === "any" ? [] : demand.scopes;
  const known = own.filter((scope) => scope !== "ai_workflows" || version.has("aiWorkflowsScope"));
  return [...known, "api", ...(version.has("readApiScope") ? ["read_api"] : [])].join(" ");
}

type Denial = (username: string, baseUrl: string) => string;

const DENIALS: Readonly<Record<Exclude<UserCondition, "active">, Denial>> = {
  internal: () => "This action cannot be performed by internal users",
  pending_approval: () => "Your account is pending approval from your administrator and hence blocked.",
  terms_not_accepted: (username, baseUrl) =>
    `You (@${username}) must accept the Terms of Service in order to perform this action. To accept these terms, please access GitLab from a web browser at ${baseUrl}.`,
  deactivated: (_username, baseUrl) =>
    `Your account has been deactivated by your administrator. Please log back in from a web browser to reactivate your account at ${baseUrl}`,
  unconfirmed: (_username, baseUrl) =>
    `Your primary email address is not confirmed. Please check your inbox for the confirmation instructions. In case the link is expired, you can request a new confirmation email at ${baseUrl}/users/confirmation/new`,
  blocked: () => "Your account has been blocked.",
  password_expired: () =>
    "Your password expired. Please access GitLab from a web browser to update your password.",
};

/** Why this user may do nothing at all, in GitLab's words; null when there is nothing against it. */
export function denialOf(user: User, version: Version, baseUrl: string): string | null {
  if (user.condition === "active") return null;
  if (!version.has("userStateTexts")) return "User is blocked";
  return DENIALS[user.condition](user.username, baseUrl);
}
