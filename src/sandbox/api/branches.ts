import { canPushTo, LEVEL } from "../access.ts";
import { isBranchName } from "../names.ts";
import { readBranches, findBranch, type Branch } from "../git/branches.ts";
import { resolveCommit } from "../git/read.ts";
import { text } from "../params.ts";
import { paged } from "../paging.ts";
import { created, forbidden, noContent, notFound, ok, Refusal, refuse } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Project } from "../state.ts";
import { webUrl } from "../urls.ts";
import { moveRefs } from "../git/move-refs.ts";
import { commitEntity } from "./entities.ts";
import { getReadable } from "./find-project.ts";

/** `%` and co. stay encoded in a web address, slashes do not. */
function branchEntity(call: Call, project: Project, branch: Branch): Record<string, unknown> {
  const user = call.currentUser();
  const protection = project.protectedBranches.get(branch.name);
  const developers =
    protection !== undefined && protection.pushLevel > 0 && protection.pushLevel <= LEVEL.developer;
  const encoded = branch.name.split("/").map(encodeURIComponent).join("/");
  return {
    name: branch.name,
    commit: commitEntity(call.box, project, branch.commit),
    merged: branch.merged && branch.name !== project.defaultBranch,
    protected: protection !== undefined,
    developers_can_push: developers,
    developers_can_merge: developers,
    can_push: user !== null && canPushTo(call.box.state, user, project, branch.name),
    default: branch.name === project.defaultBranch,
    web_url: `${webUrl(call.box, project)}/-/tree/${encoded}`,
  };
}

const path = "/projects/:id/repository/branches";

export const branchRoutes: readonly Route[] = [
  route({
    method: "GET",
    path,
    scopes: ["ai_workflows"],
    authenticate: "lazily",
    params: { search: text.optional(), regex: text.optional() },
    handle: async (call, { search, regex }) => {
      const project = getReadable(call, "hidden");
      const wanted = searchPattern(search, regex);
      const branches = await readBranches(call.box.repositories, project);
      const found = branches.filter(({ name }) => wanted(name));
      return paged(call, found, (branch) => branchEntity(call, project, branch));
    },
  }),
  route({
    method: "GET",
    path: `${path}/:branch`,
    scopes: ["ai_workflows"],
    authenticate: "lazily",
    params: { branch: text },
    handle: async (call, { branch: name }) => {
      const project = getReadable(call, "hidden");
      if (!isBranchName(name)) throw refuse(400, "The branch refname is invalid");
      const branch = await findBranch(call.box.repositories, project, name);
      if (call.head) {
        if (!branch) throw new Refusal({ status: 404 });
        return noContent();
      }
      if (!branch) throw notFound("Branch");
      return ok(branchEntity(call, project, branch));
    },
  }),
  route({
    method: "POST",
    path,
    scopes: ["ai_workflows"],
    params: { branch: text, ref: text },
    handle: async (call, { branch: name, ref }) => {
      const project = getReadable(call, "hidden");
      const user = call.authenticate();
      if (project.archived || !canPushTo(call.box.state, user, project, name)) throw forbidden();
      if (!isBranchName(name)) throw refuse(400, "Branch name is invalid");
      if (await findBranch(call.box.repositories, project, name)) throw refuse(400, "Branch already exists");
      const sha = await resolveCommit(call.box.repositories, project, ref);
      if (sha === null) {
        throw refuse(400, `Failed to create branch '${name}': invalid reference name '${ref}'`);
      }
      await moveRefs(call.box, project, user, async (git) => {
        await git(["update-ref", `refs/heads/${name}`, sha, ""]);
      });
      const branch = await findBranch(call.box.repositories, project, name);
      if (!branch) throw notFound("Branch");
      return created(branchEntity(call, project, branch));
    },
  }),
  route({
    method: "DELETE",
    path: `${path}/:branch`,
    params: { branch: text },
    handle: async (call, { branch: name }) => {
      const project = getReadable(call, "hidden");
      const user = call.authenticate();
      if (!isBranchName(name)) throw refuse(400, "The branch refname is invalid");
      if (!(await findBranch(call.box.repositories, project, name))) throw notFound("Branch");
      if (project.archived || !canPushTo(call.box.state, user, project, name)) throw forbidden();
      if (name === project.defaultBranch || project.protectedBranches.has(name)) throw forbidden();
      await moveRefs(call.box, project, user, async (git) => {
        await git(["update-ref", "-d", `refs/heads/${name}`]);
      });
      return noContent();
    },
  }),
];

/** `search` knows `^start` and `end$`; a `regex` is an expression. */
function searchPattern(search: string | undefined, regex: string | undefined): (name: string) => boolean {
  if (regex !== undefined && regex !== "") {
    const pattern = parsePattern(regex);
    return (name) => pattern.test(name);
  }
  const wanted = (search ?? "").toLowerCase();
  if (wanted.startsWith("^")) return (name) => name.toLowerCase().startsWith(wanted.slice(1));
  if (wanted.endsWith("$")) return (name) => name.toLowerCase().endsWith(wanted.slice(0, -1));
  return (name) => name.toLowerCase().includes(wanted);
}

function parsePattern(regex: string): RegExp {
  try {
    return new RegExp(regex, "u");
  } catch {
    throw refuse(400, "Regex is invalid");
  }
}
