import { canCreateIn, groupLevel, LEVEL } from "../access.ts";
import type { Source } from "../imports.ts";
import { flag, integer, text } from "../params.ts";
import { isBranchName, slug } from "../names.ts";
import { created, forbidden, refuse, refuseAsError } from "../reply.ts";
import { route, type Call } from "../route.ts";
import type { Project, User, Visibility } from "../state.ts";
import { importSourceEnabled, openImport } from "./import-source.ts";
import { projectDetails } from "./project-entity.ts";
import { visibility, words } from "./project-params.ts";
import { checkModel, loweredVisibility, modelErrors } from "./project-rules.ts";
import { templateFiles } from "./templates.ts";

/** `POST /projects`, its checks in the order of §9.1. */
export const createProjectRoute = route({
  method: "POST",
  path: "/projects",
  scopes: ["ai_workflows"],
  params: {
    name: text.optional(),
    path: text.optional(),
    namespace_id: integer.optional(),
    description: text.optional(),
    visibility: visibility.optional(),
    default_branch: text.optional(),
    initialize_with_readme: flag.optional(),
    import_url: text.optional(),
    template_name: text.optional(),
    topics: words.optional(),
    tag_list: words.optional(),
  },
  needsOneOf: ["name", "path"],
  rules: { mutuallyExclusive: [["import_url", "template_name"]] },
  handle: async (call, given) => {
    const user = call.authenticate();
    const source = await findSource(call, given.import_url, given.template_name);
    const asked = given.visibility ?? call.box.state.settings.defaultProjectVisibility;
    checkRestricted(call, user, asked);
    const namespaceId = given.namespace_id ?? user.namespaceId;
    const prefix = getNamespacePath(call, user, namespaceId);
    checkImporter(call, user, namespaceId, source);
    const name = given.name ?? given.path ?? "";
    const path = given.path ?? slug(name);
    const level = loweredVisibility(call, asked, namespaceId);
    checkModel(call, user, { name, path, namespaceId, namespacePath: prefix, visibility: level }, null);
    const { description = "", topics = given.tag_list ?? [] } = given;
    const project = await insert(call, user, {
      path: `${prefix}/${path}`,
      name,
      description,
      topics,
      visibility: level,
      defaultBranch: branchFor(call, given.default_branch),
      readme: given.initialize_with_readme === true && source === null,
    });
    if (source) call.box.imports.start(project, source);
    return created(projectDetails(call.box, project, user));
  },
});

interface NewRow {
  readonly path: string;
  readonly name: string;
  readonly description: string;
  readonly topics: readonly string[];
  readonly visibility: Visibility;
  readonly defaultBranch: string;
  readonly readme: boolean;
}

function insert(call: Call, owner: User, { readme, ...row }: NewRow): Promise<Project> {
  const withReadme = readme && call.box.version.has("projectsWithReadme");
  const files = { "README.md": `# ${row.name}\n\n${row.description}\n` };
  return call.box.seed.createProject({ ...row, owner, ...(withReadme ? { files } : {}) });
}

/** Steps 4 to 6: the network first, then the template, then whether the import source is on. */
async function findSource(
  call: Call,
  importUrl: string | undefined,
  template: string | undefined,
): Promise<Source | null> {
  const { box } = call;
  if (importUrl !== undefined && importUrl !== "") {
    const source = await openImport(box, importUrl);
    if (box.version.has("importSourcesEnforced") && !importSourceEnabled(box, "git")) throw forbidden();
    return source;
  }
  if (template === undefined || template === "" || !box.version.has("templates")) return null;
  const files = templateFiles(box.version, template);
  if (!files) throw refuse(400, { template_name: [`'${template}' is unknown or invalid`] });
  return { type: "gitlab_built_in_project_template", files };
}

/** Before the limit and the namespace, unlike the other checks of the model. */
function checkRestricted(call: Call, user: User, asked: Visibility): void {
  if (user.admin || !call.box.state.settings.restrictedVisibilityLevels.includes(asked)) return;
  throw modelErrors(call, {
    visibility_level: [`${asked} has been restricted by your GitLab administrator`],
  });
}

/** The namespace's full path, if this user may create projects there. */
function getNamespacePath(call: Call, user: User, id: number): string {
  const { state } = call.box;
  if (id === user.namespaceId) checkLimit(call, user);
  const path = id === user.namespaceId ? user.username : state.groups.get(id)?.fullPath;
  if (path === undefined || !canCreateIn(state, user, id)) {
    throw modelErrors(call, { namespace: ["is not valid"] });
  }
  return path;
}

function checkLimit(call: Call, user: User): void {
  const limit = user.projectsLimit;
  const own = [...call.box.state.projects.values()].filter(
    (project) => project.namespaceId === user.namespaceId,
  );
  if (own.length < limit) return;
  const modern = call.box.version.has("strictNewProjectPaths");
  const none = modern
    ? "You cannot create projects in your personal namespace. Contact your GitLab administrator."
    : "Personal project creation is not allowed. Please contact your administrator with questions";
  const reached = modern
    ? `You've reached your limit of ${limit} projects created. Contact your GitLab administrator.`
    : `Your project limit is ${limit} projects! Please contact your administrator to increase it`;
  throw refuseAsError(403, [limit <= 0 ? none : reached]);
}

/** Developers may create in most groups, but not import into them. Templates are exempt. */
function checkImporter(call: Call, user: User, namespaceId: number, source: Source | null): void {
  if (source?.type !== "git" || !call.box.version.has("importNeedsMaintainer")) return;
  if (namespaceId === user.namespaceId || user.admin) return;
  if (groupLevel(call.box.state, user, namespaceId) >= LEVEL.maintainer) return;
  throw modelErrors(call, { user: ["is not allowed to import projects"] });
}

function branchFor(call: Call, given: string | undefined): string {
  const { version, state } = call.box;
  const preset = version.has("defaultBranchMain") ? "main" : "master";
  const fallback = state.settings.defaultBranchName ?? preset;
  if (!given || !version.has("defaultBranchOfNewProjects")) return fallback;
  const name = given.replace(/^refs\/heads\//, "");
  if (!isBranchName(name)) throw modelErrors(call, { default_branch: ["is invalid"] });
  return name;
}
