import { canReadCode } from "../access.ts";
import { findToken, isExpired, outsideAdminMode, type Identity } from "../auth.ts";
import type { Box } from "../box.ts";
import { Refusal } from "../reply.ts";
import type { User, UserCondition } from "../state.ts";
import { findProjectByPath } from "./moved.ts";
import { permit, plain, type Actor, type Permission, type Service } from "./permission.ts";

/** User states that cannot log in: git answers them as if the token were wrong, unlike the API. */
const CANNOT_LOG_IN: ReadonlySet<UserCondition> = new Set([
  "blocked",
  "ldap_blocked",
  "banned",
  "unconfirmed",
  "password_expired",
  "pending_approval",
  "internal",
]);

/**
 * Whether this HTTP request may fetch from or push to the project. Returns the project and who asks (null: anonymous, public project).
 * Throws refusals in plain text.
 */
export async function admit(
  box: Box,
  fullPath: string,
  service: Service | "unknown",
  authorization: string | undefined,
): Promise<Permission & { readonly user: User | null }> {
  if (authorization === undefined) return { ...openToAll(box, fullPath, service), user: null };
  const { user, token } = identityOf(box, authorization);
  // The dumb protocol names no service. GitLab finds out only after it has looked at the credentials.
  if (service === "unknown") throw plain(403, "The command you're trying to execute is not allowed.");
  const actor: Actor = { user, deployKey: null, scopes: token.scopes, protocol: "http" };
  try {
    return { ...(await permit(box, actor, fullPath, service)), user };
  } catch (error) {
    // The token of a project or group is not even let in elsewhere.
    if (user.bot && error instanceof Refusal && error.reply.status === 404) throw accessDenied(box);
    throw error;
  }
}

/** Who a request is from, by Basic credentials alone. Throws the 401 for everything that does not do. */
export function identityOf(box: Box, authorization: string | undefined): Identity {
  const encoded = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization ?? "")?.[1];
  if (encoded === undefined) throw accessDenied(box);
  const pair = Buffer.from(encoded, "base64").toString("utf8");
  const identity = findToken(box.state, pair.slice(pair.indexOf(":") + 1));
  if (!identity || !canLogIn(box, identity)) throw accessDenied(box);
  identity.token.lastUsedAt = box.state.now();
  return { token: identity.token, user: outsideAdminMode(box, identity) };
}

function canLogIn({ state }: Box, { user, token }: Identity): boolean {
  if (token.revoked || isExpired(state, token)) return false;
  if (token.kind === "impersonation" && !state.settings.impersonationEnabled) return false;
  return ![user.condition, ...user.furtherConditions].some((condition) => CANNOT_LOG_IN.has(condition));
}

/** Without credentials: public projects may be fetched, everything else is asked for a token. */
function openToAll(box: Box, fullPath: string, service: Service | "unknown"): Permission {
  const found = findProjectByPath(box.state, fullPath);
  const offered = box.state.settings.enabledGitAccessProtocol !== "ssh" && service === "git-upload-pack";
  const open = found?.project.visibility === "public" && canReadCode(box.state, null, found.project);
  if (!offered || !open) throw accessDenied(box);
  return found;
}

/**
 * The one answer to every credential that does not do; its words changed twice. Where passwords are switched off for git there is no
 * challenge, so that git asks nobody.
 */
export function accessDenied(box: Box): Refusal {
  const passwords = box.state.settings.passwordAuthenticationForGit;
  return new Refusal({
    status: 401,
    text: deniedText(box, passwords),
    contentType: "text/plain; charset=utf-8",
    headers: passwords ? { "Www-Authenticate": 'Basic realm="GitLab"' } : {},
  });
}

function deniedText(box: Box, passwords: boolean): string {
  const help = `${box.url}/help/topics/git/troubleshooting_git`;
  const anchor = "#error-on-git-fetch-http-basic-access-denied";
  if (box.version.has("deniedTextNamesScopes")) {
    return `HTTP Basic: Access denied. If a password was provided for Git authentication, the password was incorrect or you're required to use a token instead of a password. If a token was provided, it was either incorrect, expired, or improperly scoped. See ${help}.md${anchor}`;
  }
  if (box.version.has("deniedTextNamesTwoFactor")) {
    return `HTTP Basic: Access denied. The provided password or token is incorrect or your account has 2FA enabled and you must use a personal access token instead of a password. See ${help}${anchor}`;
  }
  if (passwords) return "HTTP Basic: Access denied\n";
  return `HTTP Basic: Access denied\n${oldHint(box)}`;
}

function oldHint(box: Box): string {
  const scope = box.version.has("writeRepositoryScope")
    ? "'read_repository' or 'write_repository' scope"
    : "'api' scope";
  const page = box.version.has("profileBelowDash") ? "-/profile" : "profile";
  return `You must use a personal access token with ${scope} for Git over HTTP.\nYou can generate one at ${box.url}/${page}/personal_access_tokens`;
}
