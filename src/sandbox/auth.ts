import type { Box } from "./box.ts";
import type { Credentials } from "./credentials.ts";
import { checkGranular } from "./granular.ts";
import { dpopError, forbidden, insufficientScope, invalidToken, notFound, unauthorized } from "./reply.ts";
import type { Route } from "./route.ts";
import { reaches, scopeField, type Demand } from "./scopes.ts";
import { digestOf, type State, type Token, type User, type UserCondition } from "./state.ts";
import type { Feature, Version } from "./versions.ts";

export interface Identity {
  /** Who acts: with `Sudo` another one than the token's. An administrator outside of admin mode is none. */
  readonly user: User;
  readonly token: Token;
}

/** One request that wants to know who asks. */
export interface Petition {
  readonly credentials: Credentials;
  readonly demand: Demand;
  readonly route: Pick<Route, "method" | "path">;
  /** Named parts of the path and all parameters. */
  readonly given: Readonly<Record<string, unknown>>;
  readonly ip: string;
}

export function findToken(state: State, value: string): Identity | null {
  const token = state.tokens.get(digestOf(value));
  const user = token && state.users.get(token.userId);
  if (!token || !user) return null;
  const disabled = state.settings.personalAccessTokensDisabled && token.kind !== "oauth";
  return disabled ? null : { user, token };
}

/**
 * GitLab's `current_user`, in its order (§1.6): token lookup, expired, revoked, impersonation, state of the user, DPoP, one address too
 * many, sudo, scopes, fine-grained permissions. null when the request carries no token; throws the refusal otherwise. A wrong token is
 * refused even where none is needed.
 */
export function identify(box: Box, petition: Petition): Identity | null {
  const found = lookUp(box.state, petition.credentials);
  if (!found) return null;
  const { token } = found;
  checkLife(box, token, petition);
  const denial = denialOf(found.user, box.version, box.url);
  if (denial !== null) throw forbidden(denial);
  checkProof(box.version, found, petition);
  if (box.state.faults.uniqueIpLimit) throw forbidden();
  const user = outsideAdminMode(box, found);
  noteUse(box, token, petition.ip);
  if (petition.credentials.sudo !== null) return { token, user: sudo(box, { user, token }, petition) };
  checkScopes(box, { user, token }, petition);
  return { user, token };
}

/** An OAuth token in the Bearer header wins over everything; then the places of §1.1 in turn. */
function lookUp(state: State, { parameter, privateTokenHeader, bearer }: Credentials): Identity | null {
  const oauth = bearer === null ? null : findToken(state, bearer);
  if (oauth?.token.kind === "oauth") return oauth;
  const value = parameter ?? privateTokenHeader ?? bearer;
  if (value === null) return null;
  const found = findToken(state, value);
  if (!found || found.token.kind === "oauth") throw unauthorized();
  return found;
}

function checkLife(box: Box, token: Token, petition: Petition): void {
  const { state, version } = box;
  if (isExpired(state, token)) {
    throw invalidToken("Token is expired. You can either do re-authorization or token refresh.");
  }
  if (token.revoked) {
    if (version.has("tokenFamilyRevocation") && petition.route.path.endsWith("/rotate")) {
      revokeFamily(state, token);
    }
    throw invalidToken("Token was revoked. You have to re-authorize from the user.");
  }
  if (token.kind === "impersonation" && !state.settings.impersonationEnabled) {
    throw invalidToken("Token is an impersonation token but impersonation was disabled.");
  }
}

/** Somebody used a token that was rotated away: whoever holds its successors may be a thief (§2.5). */
export function revokeFamily(state: State, token: Token): void {
  for (const other of state.tokens.values()) if (other.familyId === token.familyId) other.revoked = true;
}

function checkProof(version: Version, { user, token }: Identity, { credentials }: Petition): void {
  if (!user.dpopRequired || token.kind === "oauth" || !version.has("dpop")) return;
  throw dpopError(credentials.dpop ? "Malformed JWT, unable to decode" : "DPoP header is missing");
}

export function outsideAdminMode(box: Pick<Box, "state" | "version">, { user, token }: Identity): User {
  const asked = box.state.settings.adminMode && box.version.has("adminModeScope");
  return user.admin && asked && !token.scopes.includes("admin_mode") ? { ...user, admin: false } : user;
}

const MINUTE = 60_000;

/** GitLab writes `last_used_at` at most every ten minutes (24 hours up to 16.0). */
function noteUse({ state, version }: Box, token: Token, ip: string): void {
  const pause = version.has("frequentLastUse") ? 10 * MINUTE : 24 * 60 * MINUTE;
  const last = token.lastUsedAt === null ? -Infinity : Date.parse(token.lastUsedAt);
  if (state.clock.now() - last >= pause) token.lastUsedAt = state.now();
  if (token.lastUsedIps[0] !== ip) {
    token.lastUsedIps = [ip, ...token.lastUsedIps.filter((old) => old !== ip)].slice(0, 5);
  }
}

function sudo({ state }: Box, { user, token }: Identity, { credentials }: Petition): User {
  if (!user.admin) throw forbidden("Must be admin to use sudo");
  if (!token.scopes.includes("sudo")) throw insufficientScope("sudo");
  const wanted = (credentials.sudo ?? "").toLowerCase();
  const other = [...state.users.values()].find(
    ({ id, username }) => String(id) === wanted || username.toLowerCase() === wanted,
  );
  if (!other) throw notFound(`User with ID or username '${credentials.sudo}'`);
  return other;
}

function checkScopes(box: Box, identity: Identity, petition: Petition): void {
  const { token } = identity;
  if (token.scopes.includes("granular") && box.version.has("granularTokens")) {
    checkGranular(box, identity, petition.route, petition.given);
  } else if (!reaches(token, petition.demand, box.version)) {
    throw insufficientScope(scopeField(petition.demand, box.version));
  }
}

export function isExpired(state: State, token: Token): boolean {
  return token.expiresAt !== null && state.now().slice(0, 10) >= token.expiresAt;
}

interface Denial {
  readonly condition: Exclude<UserCondition, "active">;
  readonly since: Feature;
  text(username: string, baseUrl: string): string;
}

const BLOCKED = "Your account has been blocked.";

/** In GitLab's order of precedence (§1.4). Before `since` the state does not exist, or does not bother the API. */
const DENIALS: readonly Denial[] = [
  {
    condition: "internal",
    since: "userStateTexts",
    text: () => "This action cannot be performed by internal users",
  },
  {
    condition: "pending_approval",
    since: "pendingApproval",
    text: () => "Your account is pending approval from your administrator and hence blocked.",
  },
  {
    condition: "terms_not_accepted",
    since: "userStateTexts",
    text: (username, baseUrl) =>
      `You (@${username}) must accept the Terms of Service in order to perform this action. To accept these terms, please access GitLab from a web browser at ${baseUrl}.`,
  },
  {
    condition: "deactivated",
    since: "deactivatedUsers",
    text: (_username, baseUrl) =>
      `Your account has been deactivated by your administrator. Please log back in from a web browser to reactivate your account at ${baseUrl}`,
  },
  {
    condition: "unconfirmed",
    since: "userStateTexts",
    text: (_username, baseUrl) =>
      `Your primary email address is not confirmed. Please check your inbox for the confirmation instructions. In case the link is expired, you can request a new confirmation email at ${baseUrl}/users/confirmation/new`,
  },
  { condition: "blocked", since: "userStateTexts", text: () => BLOCKED },
  { condition: "ldap_blocked", since: "userStateTexts", text: () => BLOCKED },
  { condition: "banned", since: "userStateTexts", text: () => BLOCKED },
  {
    condition: "password_expired",
    since: "passwordExpiryBlocksApi",
    text: () => "Your password expired. Please access GitLab from a web browser to update your password.",
  },
];

const BLOCKED_SINCE_EVER: ReadonlySet<UserCondition> = new Set(["blocked", "ldap_blocked", "banned"]);

/** Why this user may do nothing at all, in GitLab's words; null when there is nothing against it. */
export function denialOf(user: User, version: Version, baseUrl: string): string | null {
  const conditions = new Set([user.condition, ...user.furtherConditions]);
  if (!version.has("userStateTexts")) {
    return [...conditions].some((each) => BLOCKED_SINCE_EVER.has(each)) ? "User is blocked" : null;
  }
  const denial = DENIALS.find(({ condition, since }) => conditions.has(condition) && version.has(since));
  return denial?.text(user.username, baseUrl) ?? null;
}
