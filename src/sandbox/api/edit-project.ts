import { z } from "zod";
import { canCreateIn, LEVEL, levelIn } from "../access.ts";
import { isBranchName } from "../names.ts";
import { setDefaultBranch } from "../git/remote.ts";
import { readRefs } from "../git/read.ts";
import { moveProject } from "../moves.ts";
import { flag, oneOf, text } from "../params.ts";
import { created, forbidden, notFound, ok, refuse, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Project, User } from "../state.ts";
import { findGroup } from "./find-group.ts";
import { getProjectAs } from "./find-project.ts";
import { projectDetails } from "./project-entity.ts";
import { visibility, words } from "./project-params.ts";
import { checkedFields, IGNORED_FIELDS } from "./project-fields.ts";
import { checkModel } from "./project-rules.ts";

const access = oneOf(["disabled", "private", "enabled"]);
const fields = {
  name: text.optional(),
  path: text.optional(),
  description: text.optional(),
  visibility: visibility.optional(),
  default_branch: text.optional(),
  topics: words.optional(),
  tag_list: words.optional(),
  repository_access_level: access.optional(),
  builds_access_level: access.optional(),
  jobs_enabled: flag.optional(),
};
const shape = z.object(fields);
type Changes = z.output<typeof shape>;

async function edit(call: Call, changes: Changes): Promise<Reply> {
  const project = getProjectAs(call, LEVEL.maintainer);
  const user = call.authenticate();
  if (project.archived && !user.admin) throw forbidden();
  const owner = levelIn(call.box.state, user, project) >= LEVEL.owner;
  const renames = changes.visibility !== undefined && changes.visibility !== project.visibility;
  if (renames && !owner) throw forbidden();
  const { name = project.name, path = project.path, visibility: level = project.visibility } = changes;
  const namespacePath = project.fullPath.slice(0, -project.path.length - 1);
  const wanted = { name, path, namespaceId: project.namespaceId, namespacePath, visibility: level };
  checkModel(call, user, wanted, project);
  if (changes.default_branch !== undefined) await changeDefaultBranch(call, project, changes.default_branch);
  project.name = name;
  project.visibility = level;
  if (path !== project.path) {
    moveProject(call.box.state, project, project.namespaceId, `${namespacePath}/${path}`);
  }
  apply(project, changes);
  project.updatedAt = call.box.state.now();
  return ok(projectDetails(call.box, project, user));
}

function apply(project: Project, changes: Changes): void {
  project.description = changes.description ?? project.description;
  project.topics = changes.topics ?? changes.tag_list ?? project.topics;
  const { repository_access_level: repository, builds_access_level: builds, jobs_enabled: jobs } = changes;
  if (repository !== undefined) project.repositoryEnabled = repository !== "disabled";
  if (builds !== undefined) project.buildsEnabled = builds !== "disabled";
  if (jobs !== undefined) project.buildsEnabled = jobs;
}

async function changeDefaultBranch(call: Call, project: Project, branch: string): Promise<void> {
  const refs = await readRefs(call.box.repositories, project);
  const known = project.emptyRepo || refs.has(`refs/heads/${branch}`);
  if (!isBranchName(branch) || !known) {
    throw refuse(400, { base: ["Could not set the default branch"] });
  }
  if (branch !== project.defaultBranch) await setDefaultBranch(call.box.repositories, project, branch);
}

function archive(call: Call, archived: boolean): Reply {
  const project = getProjectAs(call, LEVEL.owner);
  if (archived && project.archived && call.box.version.has("delayedDeletion")) {
    throw refuse(400, "Project is already archived.");
  }
  project.archived = archived;
  project.updatedAt = call.box.state.now();
  return created(projectDetails(call.box, project, call.authenticate()));
}

function transfer(call: Call, target: string): Reply {
  const project = getProjectAs(call, LEVEL.owner);
  const user = call.authenticate();
  if (project.archived) throw forbidden();
  const { id, path } = getTarget(call, user, target);
  if (!canCreateIn(call.box.state, user, id)) {
    throw refuse(400, "Transfer failed, please contact an admin.");
  }
  const fullPath = `${path}/${project.path}`;
  const siblings = [...call.box.state.projects.values()].filter(
    (other) => other.namespaceId === id && other !== project,
  );
  const taken = call.box.state.projectsByPath.get(fullPath.toLowerCase());
  if ((taken && taken !== project) || siblings.some((other) => other.name === project.name)) {
    throw refuse(400, "Project with same name or path in target namespace already exists");
  }
  moveProject(call.box.state, project, id, fullPath);
  project.updatedAt = call.box.state.now();
  return ok(projectDetails(call.box, project, user));
}

/** A namespace by id or path that this user may see: an own one or a group. */
function getTarget(call: Call, user: User, target: string): { id: number; path: string } {
  const group = findGroup(call, target);
  if (group) return { id: group.id, path: group.fullPath };
  const own = [String(user.namespaceId), user.username].includes(target);
  if (!own) throw notFound("Namespace");
  return { id: user.namespaceId, path: user.username };
}

export const editProjectRoutes: readonly Route[] = [
  route({
    method: "PUT",
    path: "/projects/:id",
    params: { ...fields, ...checkedFields },
    needsOneOf: [...Object.keys(fields), ...IGNORED_FIELDS],
    handle: edit,
  }),
  route({
    method: "POST",
    path: "/projects/:id/archive",
    params: {},
    handle: (call) => archive(call, true),
  }),
  route({
    method: "POST",
    path: "/projects/:id/unarchive",
    params: {},
    handle: (call) => archive(call, false),
  }),
  route({
    method: "PUT",
    path: "/projects/:id/transfer",
    params: { namespace: text },
    handle: (call, { namespace }) => transfer(call, namespace),
  }),
];
