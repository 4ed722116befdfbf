import { canCreateIn, canReadCode, canSee, LEVEL, levelIn } from "../access.ts";
import { denialOf } from "../auth.ts";
import type { Box } from "../box.ts";
import { Refusal } from "../reply.ts";
import type { DeployKey, Project, User } from "../state.ts";
import { findProjectByPath } from "./moved.ts";

export type Service = "git-upload-pack" | "git-receive-pack";

/** Who asks git for something. */
export interface Actor {
  /** Of a deploy key this is who made it. */
  readonly user: User;
  readonly deployKey: DeployKey | null;
  /** Scopes of a token; null for a key, which has no scopes. */
  readonly scopes: readonly string[] | null;
  readonly protocol: "http" | "ssh";
}

export interface Permission {
  readonly project: Project;
  /** The path that was asked for, when the project has another one by now. */
  readonly movedFrom: string | null;
}

/** Scopes that let a token fetch, and those that let it push. */
const DOWNLOAD = new Set(["api", "read_api", "read_repository", "write_repository"]);
const UPLOAD = new Set(["api", "write_repository"]);

const NO_PROJECT =
  "The project you were looking for could not be found or you don't have permission to view it.";
const NO_DOWNLOAD = "You are not allowed to download code.";
const NO_UPLOAD = "You are not allowed to upload code.";
const MAINTENANCE =
  "Git push is not allowed because this GitLab instance is currently in (read-only) maintenance mode.";

/**
 * Whether somebody may fetch from or push to a project, by GitLab's order of checks and in its words (`git_access.rb`). Throws refusals in
 * plain text. A push to a path that does not exist makes a project where GitLab would.
 */
export async function permit(
  box: Box,
  actor: Actor,
  fullPath: string,
  service: Service,
): Promise<Permission> {
  checkProtocol(box, actor.protocol);
  checkActor(box, actor);
  checkScopes(actor, service);
  const pushes = service === "git-receive-pack";
  if (pushes) checkInstance(box);
  const found =
    findProjectByPath(box.state, fullPath) ?? (pushes ? await createByPush(box, actor, fullPath) : null);
  if (!found || !sees(box, actor, found.project)) throw plain(404, NO_PROJECT);
  if (pushes) checkPush(box, actor, found.project);
  else checkPull(box, actor, found.project);
  return found;
}

export function checkProtocol(box: Box, protocol: "http" | "ssh"): void {
  const only = box.state.settings.enabledGitAccessProtocol;
  if (only !== "all" && only !== protocol) {
    throw plain(403, `Git access over ${protocol.toUpperCase()} is not allowed`);
  }
}

function checkActor(box: Box, { user, deployKey }: Actor): void {
  if (deployKey && !box.version.has("deployKeysDieWithOwner")) return;
  const denial = denialOf(user, box.version, box.url);
  if (denial !== null) throw plain(403, denial);
}

function checkScopes({ scopes }: Actor, service: Service): void {
  if (scopes === null) return;
  const uploads = service === "git-receive-pack";
  if (uploads && !scopes.some((scope) => UPLOAD.has(scope))) throw plain(403, NO_UPLOAD);
  if (!scopes.some((scope) => DOWNLOAD.has(scope))) throw plain(403, NO_DOWNLOAD);
}

function checkInstance(box: Box): void {
  const { faults } = box.state;
  if (faults.readOnly) throw plain(403, "You can't push code to a read-only GitLab instance.");
  if (faults.maintenance) throw plain(403, MAINTENANCE);
}

function sees(box: Box, { user, deployKey }: Actor, project: Project): boolean {
  if (!deployKey) return canSee(box.state, user, project);
  return project.visibility === "public" || findLink(box, deployKey, project) !== null;
}

function findLink(box: Box, key: DeployKey, project: Project): { readonly canPush: boolean } | null {
  for (const link of box.state.deployKeyLinks) {
    if (link.projectId === project.id && link.keyId === key.id) return link;
  }
  return null;
}

function checkPull(box: Box, { user, deployKey }: Actor, project: Project): void {
  const allowed = deployKey ? project.repositoryEnabled : canReadCode(box.state, user, project);
  if (!allowed) throw plain(403, "You are not allowed to download code from this project.");
}

function checkPush(box: Box, { user, deployKey }: Actor, project: Project): void {
  const spared = deployKey !== null && !box.version.has("archivedRefusesDeployKeys");
  if (project.archived && !spared) throw plain(403, "You can't push code to an archived project.");
  if (box.state.faults.git.repositoriesReadOnly) {
    throw plain(403, "The repository is temporarily read-only. Please try again later.");
  }
  const developer = levelIn(box.state, user, project) >= LEVEL.developer;
  if (deployKey) {
    const ownerCounts = box.version.has("deployKeyNeedsMember");
    const writes = findLink(box, deployKey, project)?.canPush === true && (developer || !ownerCounts);
    if (!writes) throw plain(403, "This deploy key does not have write access to this project.");
  } else if (!developer || !project.repositoryEnabled) {
    throw plain(403, "You are not allowed to push code to this project.");
  }
}

/** GitLab makes a private project at once when somebody who may pushes to a path that does not exist (already on `info/refs`). */
async function createByPush(box: Box, actor: Actor, fullPath: string): Promise<Permission | null> {
  const slash = fullPath.lastIndexOf("/");
  if (slash === -1 || actor.deployKey) return null;
  const namespace = fullPath.slice(0, slash);
  const namespaceId = findNamespaceId(box, namespace.toLowerCase());
  if (namespaceId === null) throw plain(404, "The namespace you were looking for could not be found.");
  if (!canCreateIn(box.state, actor.user, namespaceId)) return null;
  try {
    const project = await box.seed.createProject({ path: fullPath, owner: actor.user });
    return { project, movedFrom: null };
  } catch (error) {
    if (error instanceof RangeError) throw plain(422, "Could not create project: Path is invalid");
    throw error;
  }
}

function findNamespaceId(box: Box, path: string): number | null {
  for (const user of box.state.users.values()) {
    if (user.username.toLowerCase() === path) return user.namespaceId;
  }
  return box.state.groupsByPath.get(path)?.id ?? null;
}

export function plain(status: number, text: string): Refusal {
  return new Refusal({ status, text, contentType: "text/plain; charset=utf-8" });
}
