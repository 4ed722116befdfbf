import { canCreateIn, canReadCode, canSee, LEVEL, levelIn } from "../access.ts";
import { denialOf, findToken, isExpired, type Identity } from "../auth.ts";
import type { Box } from "../box.ts";
import { Refusal } from "../reply.ts";
import type { Project } from "../state.ts";

export type Service = "git-upload-pack" | "git-receive-pack";

/** Scopes that let a token fetch, and those that let it push. */
const DOWNLOAD = new Set(["api", "read_api", "read_repository", "write_repository"]);
const UPLOAD = new Set(["api", "write_repository"]);

/** User states that cannot log in: git answers them as if the token were wrong, unlike the API. */
const CANNOT_LOG_IN = new Set(["blocked", "unconfirmed", "password_expired", "pending_approval", "internal"]);

/**
 * Whether this request may fetch from or push to the project, by GitLab's order of checks and in its words. Returns the project and
 * who asks (null: anonymous, public project). Throws refusals in plain text.
 */
export async function admit(
  box: Box,
  fullPath: string,
  service: Service,
  authorization: string | undefined,
): Promise<{ readonly project: Project; readonly identity: Identity | null }> {
  const identity = identityOf(box, authorization);
  const project = box.state.projectsByPath.get(fullPath.toLowerCase()) ?? null;
  if (!identity) return { project: openToAll(box, project, service), identity };
  const denial = denialOf(identity.user, box.version, box.url);
  if (denial !== null) throw plain(403, denial);
  checkAbility(identity, service);
  if (service === "git-receive-pack" && box.state.faults.maintenance) throw plain(403, MAINTENANCE);
  const target = project ?? (await createByPush(box, identity, fullPath, service));
  if (!target || !canSee(box.state, identity.user, target)) {
    throw identity.user.bot ? accessDenied(box) : plain(404, NO_PROJECT);
  }
  checkRole(box, identity, target, service);
  return { project: target, identity };
}

/** Without credentials: public projects may be fetched, everything else is asked for a token. */
function openToAll(box: Box, project: Project | null, service: Service): Project {
  if (project?.visibility !== "public" || service !== "git-upload-pack") throw accessDenied(box);
  if (!canReadCode(box.state, null, project)) throw plain(404, NO_PROJECT);
  return project;
}

const NO_PROJECT =
  "The project you were looking for could not be found or you don't have permission to view it.";
const MAINTENANCE =
  "Git push is not allowed because this GitLab instance is currently in (read-only) maintenance mode.";

function identityOf(box: Box, authorization: string | undefined): Identity | null {
  if (authorization === undefined) return null;
  const encoded = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization)?.[1];
  if (encoded === undefined) throw accessDenied(box);
  const pair = Buffer.from(encoded, "base64").toString("utf8");
  const identity = findToken(box.state, pair.slice(pair.indexOf(":") + 1));
  const dead = !identity || identity.token.revoked || isExpired(box.state, identity.token);
  if (dead || CANNOT_LOG_IN.has(identity.user.condition)) throw accessDenied(box);
  identity.token.lastUsedAt = box.state.now();
  return identity;
}

function checkAbility(identity: Identity, service: Service): void {
  const scopes = identity.token.scopes;
  if (!scopes.some((scope) => DOWNLOAD.has(scope))) {
    throw plain(403, service === "git-receive-pack" ? NO_UPLOAD : "You are not allowed to download code.");
  }
  if (service === "git-receive-pack" && !scopes.some((scope) => UPLOAD.has(scope)))
    throw plain(403, NO_UPLOAD);
}

const NO_UPLOAD = "You are not allowed to upload code.";

function checkRole(box: Box, identity: Identity, project: Project, service: Service): void {
  if (!canReadCode(box.state, identity.user, project)) {
    throw plain(403, "You are not allowed to download code from this project.");
  }
  if (service === "git-upload-pack") return;
  if (project.archived) throw plain(403, "You can't push code to an archived project.");
  if (levelIn(box.state, identity.user, project) < LEVEL.developer) {
    throw plain(403, "You are not allowed to push code to this project.");
  }
}

/** GitLab makes a private project at once when somebody who may pushes to a path that does not exist (already on `info/refs`). */
async function createByPush(
  box: Box,
  identity: Identity,
  fullPath: string,
  service: Service,
): Promise<Project | null> {
  const slash = fullPath.lastIndexOf("/");
  if (service !== "git-receive-pack" || slash === -1) return null;
  const namespace = fullPath.slice(0, slash);
  const group = [...box.state.groups.values()].find((group) => group.fullPath === namespace);
  const own = identity.user.username === namespace ? identity.user.namespaceId : null;
  const namespaceId = group?.id ?? own;
  if (namespaceId === null) throw plain(404, "The namespace you were looking for could not be found.");
  if (!canCreateIn(box.state, identity.user, namespaceId)) return null;
  try {
    return await box.seed.createProject({ path: fullPath, owner: identity.user });
  } catch (error) {
    if (error instanceof RangeError) throw plain(422, "Could not create project: Path is invalid");
    throw error;
  }
}

function plain(status: number, text: string): Refusal {
  return new Refusal({ status, text, contentType: "text/plain; charset=utf-8" });
}

/** The one answer to every credential that does not do; its words changed twice. */
function accessDenied(box: Box): Refusal {
  return new Refusal({
    status: 401,
    text: deniedText(box),
    contentType: "text/plain; charset=utf-8",
    headers: { "Www-Authenticate": 'Basic realm="GitLab"' },
  });
}

function deniedText(box: Box): string {
  const help = `${box.url}/help/topics/git/troubleshooting_git`;
  const anchor = "#error-on-git-fetch-http-basic-access-denied";
  if (box.version.has("deniedTextNamesScopes")) {
    return `HTTP Basic: Access denied. If a password was provided for Git authentication, the password was incorrect or you're required to use a token instead of a password. If a token was provided, it was either incorrect, expired, or improperly scoped. See ${help}.md${anchor}`;
  }
  if (box.version.has("deniedTextNamesTwoFactor")) {
    return `HTTP Basic: Access denied. The provided password or token is incorrect or your account has 2FA enabled and you must use a personal access token instead of a password. See ${help}${anchor}`;
  }
  return "HTTP Basic: Access denied\n";
}
