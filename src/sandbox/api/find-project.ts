import { canSee, canReadCode, levelIn } from "../access.ts";
import { forbidden, notFound, refuse, Refusal } from "../reply.ts";
import type { Call } from "../route.ts";
import type { Project } from "../state.ts";

/**
 * The project that the path names by id or by full path. One that the user may not see is `404 Project Not Found`; the path it had before is
 * an address of it for readers (§5.6).
 */
export function getProject(call: Call): Project {
  const id = call.path["id"] ?? "";
  const project = findProject(call, id);
  if (project) return project;
  const moved = findMoved(call, id);
  if (!moved) throw notFound("Project");
  if (call.method !== "GET" || call.head) {
    throw refuse(405, "Non GET methods are not allowed for moved projects");
  }
  const rest = call.url.slice(`${call.box.url}/api/v4/projects/`.length).replace(/^[^/]*/, "");
  const query = call.query.size === 0 ? "" : `?${call.query.toString()}`;
  const url = `${call.box.url}/api/v4/projects/${moved.id}${rest}${query}`;
  throw new Refusal({
    status: 301,
    text: `This resource has been moved permanently to ${url}`,
    contentType: "text/plain",
    headers: { Location: url },
  });
}

/** A project that this user may see, by id or full path. */
export function findProject(call: Call, id: string): Project | null {
  const { projects, projectsByPath } = call.box.state;
  const user = call.currentUser();
  const project = /^\d+$/.test(id) ? projects.get(Number(id)) : projectsByPath.get(id.toLowerCase());
  return project && canSee(call.box.state, user, project) ? project : null;
}

function findMoved(call: Call, path: string): Project | null {
  const { state, version } = call.box;
  const id = state.formerPaths.get(path.toLowerCase());
  const project = id === undefined ? undefined : state.projects.get(id);
  if (!project || !version.has("movedProjectsRedirect")) return null;
  return canSee(state, call.currentUser(), project) ? project : null;
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
