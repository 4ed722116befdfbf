import { Fault } from "../faults/fault.ts";
import { placesOf } from "../faults/places.ts";
import { MAINTAINER, roleName } from "../gitlab/roles.ts";
import type { GitLab, Project } from "../gitlab/gitlab.ts";
import { kindOf } from "./token-checks.ts";
import { toInstance } from "./run-checks.ts";
import { need, type CheckDefinition, type Outcome, type ProjectVisit } from "./visit.ts";

export const VISIBLE_CHECK: CheckDefinition<ProjectVisit> = {
  id: "project.visible",
  about: "The project",
  run: checkVisible,
};

export const ROLE_CHECK: CheckDefinition<ProjectVisit> = {
  id: "project.role",
  about: "The role in the project",
  run: checkRole,
};

/** An id, a full path, or the project's address as the browser shows it. */
export function parseProject(text: number | string, baseUrl: string): number | string {
  if (typeof text === "number") return text;
  const trimmed = text.trim();
  const below = trimmed.startsWith(`${baseUrl}/`) ? trimmed.slice(baseUrl.length) : trimmed;
  const path = below
    .replace(/\/-(\/.*)?$/, "")
    .replace(/^\/+|\/+$/g, "")
    .replace(/\.git$/, "");
  return /^[1-9]\d{0,14}$/.test(path) ? Number(path) : path;
}

async function checkVisible(visit: ProjectVisit, signal: AbortSignal): Promise<Outcome> {
  const wanted = parseProject(visit.target.project, need(visit.learnt.base, "an address").baseUrl);
  const project = await gitlabOf(visit).getProject(wanted, { signal });
  const evidence = { project: project.path, link: project.webUrl };
  if (project.pendingDeletion) throw Fault.of("PROJECT_NOT_FOUND", "pending_deletion", { evidence });
  if (project.archived) throw Fault.of("PROJECT_ARCHIVED", "", { evidence });
  if (project.repositoryDisabled) throw Fault.of("REPOSITORY_DISABLED", "", { evidence });
  visit.here.project = project;
  const title = `${project.path} is there`;
  const facts = `id ${project.id}, default branch ${project.defaultBranch ?? "not set"}`;
  if (!project.emptyRepo) return { state: "ok", title, evidence: facts };
  return {
    state: "warn",
    title: `${project.path} has no commit yet`,
    evidence: facts,
    fix: "Push a first commit: until then there is nothing to deploy.",
  };
}

/**
 * What a role must allow: webhooks and deploy keys 40, commit statuses 30. GitLab's own answer to the list of webhooks decides, because
 * administrators and members of invited groups have no level here. It is also what a fine-grained token is tried on.
 */
async function checkRole(visit: ProjectVisit, signal: AbortSignal): Promise<Outcome> {
  const project = need(visit.here.project, "a project");
  const gitlab = gitlabOf(visit);
  if (kindOf(visit) === "granular") return checkPermissions(visit, project, signal);
  const [hooks, rules] = await Promise.all([
    readHooks(gitlab, project, signal),
    project.defaultBranch === null || project.emptyRepo
      ? null
      : gitlab.findBranchRules(project.id, project.defaultBranch, { signal }),
  ]);
  visit.here.hooks = hooks;
  const title = `${roleOf(project)} in ${project.path}`;
  if (rules?.protected && rules.canPush === false) {
    return {
      state: "warn",
      title: `${title}, but its branch ${project.defaultBranch} is protected from it`,
      evidence: "GitLab refuses commit statuses of those who may not push to a protected branch",
      fix: `Allow the token's user to push to it: ${placesOf(toInstance(visit)).protectedBranches()}.`,
    };
  }
  return { state: "ok", title, evidence: "it may manage webhooks and deploy keys and write commit statuses" };
}

function roleOf({ accessLevel }: Project): string {
  return accessLevel === null || accessLevel < MAINTAINER
    ? "Enough rights"
    : (roleName(accessLevel) ?? `Level ${accessLevel}`);
}

async function readHooks(
  gitlab: GitLab,
  project: Project,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<GitLab["listHooks"]>>> {
  try {
    return await gitlab.listHooks(project.id, { signal });
  } catch (error) {
    if (!(error instanceof Fault) || !error.is("INSUFFICIENT_ROLE")) throw error;
    const has = project.accessLevel === null ? "not known" : (roleName(project.accessLevel) ?? "not known");
    throw Fault.of("INSUFFICIENT_ROLE", "", {
      evidence: { ...error.evidence, project: project.path, role: has, needs: "Maintainer" },
      cause: error,
    });
  }
}

/** Three states: what a probe could not tell is not called missing. */
async function checkPermissions(
  visit: ProjectVisit,
  project: Project,
  signal: AbortSignal,
): Promise<Outcome> {
  const gitlab = gitlabOf(visit);
  const permissions = await gitlab.probePermissions(project.id, { signal });
  const named = (state: "granted" | "lacking" | "unknown"): string =>
    permissions
      .filter((permission) => permission.state === state)
      .map(({ name }) => name)
      .join(", ");
  const [granted, lacking, unknown] = [named("granted"), named("lacking"), named("unknown")];
  if (lacking !== "") {
    throw Fault.of("INSUFFICIENT_SCOPES", "missing_permissions", {
      evidence: { project: project.path, lacking, ...(granted === "" ? {} : { granted }) },
    });
  }
  if (granted.includes("webhook: read")) visit.here.hooks = await readHooks(gitlab, project, signal);
  if (unknown === "")
    return { state: "ok", title: `The token may do what ${project.path} needs`, evidence: granted };
  return {
    state: "unknown",
    title: `Not everything could be tried in ${project.path}`,
    evidence: `allowed: ${granted === "" ? "nothing for certain" : granted}; not known: ${unknown}`,
  };
}

function gitlabOf(visit: ProjectVisit): GitLab {
  return need(visit.learnt.gitlab, "a GitLab");
}
