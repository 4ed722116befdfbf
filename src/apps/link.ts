import { Fault, toFault } from "../faults/fault.ts";
import { cloneUrl } from "../gitlab/clone-url.ts";
import type { GitLab } from "../gitlab/gitlab.ts";
import { deadline } from "../kernel/clock.ts";
import { createDeployKey } from "../source/deploy-key.ts";
import type { Db } from "../store/store.ts";
import type { LinkRequest } from "./apps.ts";
import { parseBranch } from "./branch.ts";
import { parseBuildSettings } from "./build-settings.ts";
import type { AppsDeps } from "./deps.ts";
import { writeEvent } from "./events.ts";
import { ensureInGitLab } from "./ensure-in-gitlab.ts";
import { defaultAppName, parseAppName } from "./name.ts";
import { parseProjectRef, refuseUnfit } from "./project.ts";
import { projectKey, withProjectLock } from "./project-lock.ts";
import { removeApp } from "./remove-app.ts";
import { writeLinkRows, type LinkWish } from "./rows.ts";

const LOCK_WAIT_MS = 60_000;
const TAKE_BACK_MS = 30_000;

/** Rows first, then hook and key, then the first deployment; a failure takes back what was made. Returns the app's id. */
export async function link(deps: AppsDeps, request: LinkRequest, signal?: AbortSignal): Promise<string> {
  const connection = await deps.connections.get(request.connection);
  const { gitlab } = await deps.connections.open(connection.id);
  const wish = await readWish(deps, gitlab, connection.id, request, signal);
  const key = projectKey(connection.id, wish.project.id);
  const linked = await withProjectLock(deps.store, key, { waitMs: LOCK_WAIT_MS, signal }, (db) =>
    linkLocked(deps, db, gitlab, wish, signal),
  );
  if (!wish.project.emptyRepo) await deployFirst(deps, linked.appId, linked.environmentId);
  return linked.appId;
}

async function linkLocked(
  deps: AppsDeps,
  db: Db,
  gitlab: GitLab,
  wish: LinkWish,
  signal?: AbortSignal,
): Promise<{ appId: string; environmentId: string }> {
  const key = createDeployKey(`fairlead-${wish.name ?? wish.defaultName}`);
  const { app, linked, environmentId } = await writeLinkRows(db, deps.vault, wish, key);
  try {
    await ensureInGitLab(deps, db, gitlab, { app, linked }, signal);
    await writeEvent(db, app.id, "linked", `Linked to ${linked.path}, branch ${wish.branch}`);
    if (wish.cloneUrl !== wish.project.httpUrl) {
      await writeEvent(
        db,
        app.id,
        "clone_address",
        `Code is fetched from ${wish.cloneUrl}, not from ${wish.project.httpUrl}: the token goes to one address only`,
      );
    }
  } catch (error) {
    await takeBack(deps, db, gitlab, app.id);
    throw error;
  }
  return { appId: app.id, environmentId };
}

async function takeBack(deps: AppsDeps, db: Db, gitlab: GitLab, appId: string): Promise<void> {
  try {
    const left = await removeApp(db, { gitlab }, appId, { keepRowsIfLeft: true }, deadline(TAKE_BACK_MS));
    if (left.length > 0)
      deps.log.warn(
        { app: appId, left },
        "A failed link is not taken back yet: tried again at the next start",
      );
  } catch (error) {
    // The reason of the failed link matters more to the caller; the rows stay and name what is left.
    deps.log.error({ app: appId, error: toFault(error) }, "A failed link could not be taken back");
  }
}

async function readWish(
  deps: AppsDeps,
  gitlab: GitLab,
  connectionId: string,
  request: LinkRequest,
  signal?: AbortSignal,
): Promise<LinkWish> {
  const chosen = {
    name: request.name === undefined ? null : parseAppName(request.name),
    branch: request.branch === undefined ? null : parseBranch(request.branch),
    build: parseBuildSettings(request.build ?? {}),
    healthPath: request.healthPath === undefined ? null : parseHealthPath(request.healthPath),
  };
  const project = await gitlab.getProject(parseProjectRef(request.project), signal ? { signal } : {});
  await refuseUnfit(gitlab, project, signal);
  const branch = chosen.branch ?? project.defaultBranch ?? "main";
  if (chosen.branch !== null && !project.emptyRepo) {
    await refuseMissingBranch(gitlab, project.id, chosen.branch, signal);
  }
  return {
    connectionId,
    project,
    cloneUrl: cloneUrl(project, gitlab.baseUrl),
    defaultName: defaultAppName(project.path),
    appsDomain: deps.appsDomain,
    ...chosen,
    branch,
  };
}

/** A branch that is only misspelt would otherwise wait for pushes for ever, silently. */
async function refuseMissingBranch(
  gitlab: GitLab,
  projectId: number,
  branch: string,
  signal?: AbortSignal,
): Promise<void> {
  const found = await gitlab.findBranch(projectId, branch, signal ? { signal } : {});
  if (found) return;
  throw Fault.of("BAD_REQUEST", "invalid", { message: `The project has no branch ${branch}` });
}

function parseHealthPath(path: string): string {
  if (/^\/[\x21-\x7e]{0,1023}$/.test(path) && !path.startsWith("//") && !path.includes("#")) return path;
  throw Fault.of("BAD_REQUEST", "invalid", {
    message: "A health path begins with / and is part of a URL: /healthz",
  });
}

/** The link stands whatever becomes of its first deployment. */
async function deployFirst(deps: AppsDeps, appId: string, environmentId: string): Promise<void> {
  try {
    await deps.onLinked(environmentId);
  } catch (error) {
    const fault = toFault(error);
    deps.log.warn({ app: appId, error: fault }, "The first deployment could not be queued");
    await writeEvent(
      deps.store.db,
      appId,
      "first_deployment_failed",
      `The first deployment could not be queued (${fault.code}): the next look at the branch tries again`,
    );
  }
}
