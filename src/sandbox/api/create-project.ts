import { canCreateIn } from "../access.ts";
import { flag, integer, oneOf, text } from "../params.ts";
import { isBranchName, problemsOfName, problemsOfPath, slug } from "../names.ts";
import { created, forbidden, refuse, refuseAsError } from "../reply.ts";
import { route, type Call } from "../route.ts";
import type { User } from "../state.ts";
import { projectEntity } from "./project-entity.ts";

/** `POST /projects`: creates an empty project, or one with a README. */
export const createProjectRoute = route({
  method: "POST",
  path: "/projects",
  scopes: ["ai_workflows"],
  params: {
    name: text.optional(),
    path: text.optional(),
    namespace_id: integer.optional(),
    description: text.optional(),
    visibility: oneOf(["private", "internal", "public"]).optional(),
    default_branch: text.optional(),
    initialize_with_readme: flag.optional(),
    import_url: text.optional(),
    template_name: text.optional(),
  },
  needsOneOf: ["name", "path"],
  handle: async (call, given) => {
    const user = call.authenticate();
    checkSource(given.import_url, given.template_name);
    const namespaceId = given.namespace_id ?? user.namespaceId;
    const prefix = getNamespacePath(call, user, namespaceId);
    const name = given.name ?? given.path ?? "";
    const path = given.path ?? slug(name);
    const { visibility = "private", default_branch: defaultBranch = "main", description = "" } = given;
    checkModel(call, namespaceId, name, path);
    if (!isBranchName(defaultBranch)) throw refuse(400, { default_branch: ["is invalid"] });
    const readme = given.initialize_with_readme
      ? { "README.md": `# ${name}\n\n${description}\n` }
      : undefined;
    const project = await call.box.seed.createProject({
      path: `${prefix}/${path}`,
      name,
      description,
      owner: user,
      visibility,
      defaultBranch,
      ...(readme ? { files: readme } : {}),
    });
    return created(projectEntity(call.box, project, user));
  },
});

/** A fresh GitLab has all import sources off (16.0+), and this one has no templates to offer. */
function checkSource(importUrl: string | undefined, template: string | undefined): void {
  if (importUrl !== undefined && template !== undefined) {
    throw refuseAsError(400, "import_url, template_name are mutually exclusive");
  }
  if (template !== undefined) {
    throw refuse(400, { template_name: [`'${template}' is unknown or invalid`] });
  }
  if (importUrl !== undefined) throw forbidden();
}

/** The namespace's full path, if this user may create projects there. */
function getNamespacePath(call: Call, user: User, id: number): string {
  if (user.projectsLimit <= 0 && id === user.namespaceId) {
    const words = "You cannot create projects in your personal namespace. Contact your GitLab administrator.";
    throw refuseAsError(403, [words]);
  }
  const path = id === user.namespaceId ? user.username : call.box.state.groups.get(id)?.fullPath;
  if (path === undefined || !canCreateIn(call.box.state, user, id)) {
    throw refuse(400, { namespace: ["is not valid"] });
  }
  return path;
}

function checkModel(call: Call, namespaceId: number, name: string, path: string): void {
  const taken = ["has already been taken"];
  const siblings = [...call.box.state.projects.values()].filter(
    (project) => project.namespaceId === namespaceId,
  );
  const sameName = siblings.some((project) => project.name === name);
  const samePath = siblings.some((project) => project.path.toLowerCase() === path.toLowerCase());
  const nameProblems = [...(sameName ? taken : []), ...problemsOfName(name)];
  const strict = call.box.version.has("strictNewProjectPaths");
  const pathProblems = [...(samePath ? taken : []), ...problemsOfPath(path, strict)];
  if (nameProblems.length + pathProblems.length === 0) return;
  throw refuse(400, {
    ...(sameName && strict ? { "project_namespace.name": taken } : {}),
    ...(nameProblems.length > 0 ? { name: nameProblems } : {}),
    ...(pathProblems.length > 0 ? { path: pathProblems } : {}),
  });
}
