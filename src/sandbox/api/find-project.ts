import { canSee, canReadCode, levelIn } from "../access.ts";
import { forbidden, notFound } from "../reply.ts";
import type { Call } from "../route.ts";
import type { Project } from "../state.ts";

/** The project that the path names by id or by full path. One that the user may not see is `404 Project Not Found`. */
export function getProject(call: Call): Project {
  const user = call.currentUser();
  const id = call.path["id"] ?? "";
  const { projects, projectsByPath } = call.box.state;
  const project = /^\d+$/.test(id) ? projects.get(Number(id)) : projectsByPath.get(id.toLowerCase());
  if (!project || !canSee(call.box.state, user, project)) throw notFound("Project");
  return project;
}

/** The same, and the user has this level in it; 403 otherwise. */
export function getProjectAs(call: Call, level: number): Project {
  const project = getProject(call);
  if (levelIn(call.box.state, call.currentUser(), project) < level) throw forbidden();
  return project;
}

/**
 * The same, and its code may be read. GitLab's classes differ: branches and commits hide a switched off repository (404), the
 * others forbid it (403).
 */
export function getReadable(call: Call, switchedOff: "hidden" | "forbidden"): Project {
  const project = getProject(call);
  if (!project.repositoryEnabled && switchedOff === "hidden") throw notFound("Repository");
  if (!canReadCode(call.box.state, call.currentUser(), project)) throw forbidden();
  return project;
}
