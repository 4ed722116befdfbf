import { LEVEL } from "../access.ts";
import { moveProject, removeProject } from "../moves.ts";
import { flag, text } from "../params.ts";
import { accepted, created, refuse, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import { getProjectAs } from "./find-project.ts";
import { projectDetails } from "./project-entity.ts";

const WRONG_PATH = "`full_path` is incorrect. You must enter the complete path for the project.";

function suffixOf(id: number): string {
  return `-deletion_scheduled-${id}`;
}

/** Since 18.0 a project is first marked, and gets another name and path so that both are free again; before, it is gone at once. */
function deleteProject(call: Call, forGood: boolean, fullPath: string | undefined): Reply {
  const project = getProjectAs(call, LEVEL.owner);
  const { state, version } = call.box;
  if (!version.has("delayedDeletion")) {
    removeProject(state, project);
    return accepted();
  }
  const marked = project.markedForDeletionOn !== null;
  if (forGood) {
    if (!marked) throw refuse(400, "Project must be marked for deletion first.");
    if (fullPath !== project.fullPath) throw refuse(400, WRONG_PATH);
    removeProject(state, project);
    return accepted();
  }
  if (marked) throw refuse(400, "Project has been already marked for deletion");
  project.markedForDeletionOn = state.now().slice(0, 10);
  project.archived = true;
  project.name += suffixOf(project.id);
  moveProject(state, project, project.namespaceId, project.fullPath + suffixOf(project.id));
  return accepted();
}

function restore(call: Call): Reply {
  const project = getProjectAs(call, LEVEL.owner);
  const { state } = call.box;
  if (project.markedForDeletionOn === null) {
    throw refuse(400, "Project has not been marked for deletion");
  }
  const suffix = suffixOf(project.id);
  const without = (text: string): string => (text.endsWith(suffix) ? text.slice(0, -suffix.length) : text);
  const path = without(project.fullPath);
  const taken = state.projectsByPath.get(path.toLowerCase());
  project.markedForDeletionOn = null;
  project.archived = false;
  // Whoever took the path meanwhile keeps it: the restored project goes on under its longer one.
  if (!taken) {
    project.name = without(project.name);
    moveProject(state, project, project.namespaceId, path);
  }
  return created(projectDetails(call.box, project, call.authenticate()));
}

export const deleteProjectRoutes: readonly Route[] = [
  route({
    method: "DELETE",
    path: "/projects/:id",
    params: { permanently_remove: flag.optional(), full_path: text.optional() },
    handle: (call, { permanently_remove: forGood = false, full_path: fullPath }) =>
      deleteProject(call, forGood, fullPath),
  }),
  route({
    method: "POST",
    path: "/projects/:id/restore",
    since: "delayedDeletion",
    params: {},
    handle: restore,
  }),
];
