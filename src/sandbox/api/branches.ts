import { canPushTo, LEVEL, levelIn, protectionOf } from "../access.ts";
import { isBranchName } from "../names.ts";
import { readBranches, findBranch, type Branch } from "../git/branches.ts";
import { isBarred, readRefs, resolveCommit } from "../git/read.ts";
import { BARRED, DELETE_DEFAULT, DELETE_PROTECTED } from "../git/ref-rules.ts";
import { oneOf, text } from "../params.ts";
import { keysetPage, paged } from "../paging.ts";
import { parseExpression } from "../patterns.ts";
import { accepted, created, forbidden, noContent, notFound, ok, Refusal, refuse } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Project } from "../state.ts";
import { webUrl } from "../urls.ts";
import { moveRefs } from "../git/move-refs.ts";
import { commitEntity } from "./entities.ts";
import { getReadable } from "./find-project.ts";
import { searchPattern } from "./search-pattern.ts";

/** `%` and co. stay encoded in a web address, slashes do not. */
function branchEntity(call: Call, project: Project, branch: Branch): Record<string, unknown> {
  const user = call.currentUser();
  const protection = protectionOf(project, branch.name);
  const developers =
    protection !== null && protection.pushLevel > 0 && protection.pushLevel <= LEVEL.developer;
  const encoded = branch.name.split("/").map(encodeURIComponent).join("/");
  return {
    name: branch.name,
    commit: commitEntity(call.box, project, branch.commit),
    merged: branch.merged && branch.name !== project.defaultBranch,
    protected: protection !== null,
    developers_can_push: developers,
    developers_can_merge: developers,
    can_push: user !== null && canPushTo(call.box.state, user, project, branch.name),
    default: branch.name === project.defaultBranch,
    web_url: `${webUrl(call.box, project)}/-/tree/${encoded}`,
  };
}

const path = "/projects/:id/repository/branches";
const scopes = ["ai_workflows"];

export const branchRoutes: readonly Route[] = [
  route({
    method: "GET",
    path,
    scopes,
    authenticate: "lazily",
    params: {
      search: text.optional(),
      regex: text.optional(),
      sort: oneOf(["name_asc", "updated_asc", "updated_desc"]).optional(),
      page_token: text.optional(),
      pagination: oneOf(["legacy", "keyset"]).optional(),
    },
    handle: async (call, { search, regex, sort = "name_asc", page_token, pagination = "legacy" }) => {
      const project = getReadable(call, "hidden");
      const wanted = regex === undefined || regex === "" ? searchPattern(search) : parsePattern(regex);
      const branches = await readBranches(call.box.repositories, project);
      const found = branches.filter(({ name }) => wanted(name)).toSorted(ORDER[sort]);
      const present = (branch: Branch): unknown => branchEntity(call, project, branch);
      if (pagination === "legacy" && page_token === undefined) return paged(call, found, present);
      return keysetPage(call, found, page_token, ({ name }) => name, present);
    },
  }),
  route({
    method: "GET",
    path: `${path}/:branch`,
    scopes,
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
    scopes,
    params: { branch: text, ref: text },
    handle: (call, { branch, ref }) => createBranch(call, branch, ref),
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
      if (project.archived || levelIn(call.box.state, user, project) < LEVEL.developer) throw forbidden();
      if (name === project.defaultBranch) throw refuse(400, DELETE_DEFAULT);
      const maintains = levelIn(call.box.state, user, project) >= LEVEL.maintainer;
      if (protectionOf(project, name) && !maintains) throw refuse(400, DELETE_PROTECTED);
      await removeBranches(call, project, [name]);
      return noContent();
    },
  }),
  route({
    method: "DELETE",
    path: "/projects/:id/repository/merged_branches",
    params: {},
    handle: async (call) => {
      const project = getReadable(call, "hidden");
      if (project.archived || levelIn(call.box.state, call.authenticate(), project) < LEVEL.developer) {
        throw forbidden();
      }
      const branches = await readBranches(call.box.repositories, project);
      const gone = branches.filter(
        ({ name, merged }) => merged && name !== project.defaultBranch && !protectionOf(project, name),
      );
      await removeBranches(
        call,
        project,
        gone.map(({ name }) => name),
      );
      return accepted();
    },
  }),
];

async function createBranch(call: Call, name: string, ref: string): Promise<ReturnType<typeof created>> {
  const project = getReadable(call, "hidden");
  const user = call.authenticate();
  const { repositories, state, version } = call.box;
  if (project.archived || levelIn(state, user, project) < LEVEL.developer) throw forbidden();
  if (!isBranchName(name)) throw refuse(400, "Branch name is invalid");
  if (await findBranch(repositories, project, name)) throw refuse(400, "Branch already exists");
  const sha = await resolveCommit(repositories, project, ref);
  if (sha === null) {
    throw refuse(
      400,
      version.has("invalidReferenceText")
        ? `Failed to create branch '${name}': invalid reference name '${ref}'`
        : `Invalid reference name: ${ref}`,
    );
  }
  await moveRefs(call.box, project, user, async (git) => {
    const target = `refs/heads/${name}`;
    const refs = await readRefs(repositories, project);
    // Again, since it is this request's turn only now.
    if (refs.has(target)) throw refuse(400, "Branch already exists");
    if (isBarred(refs, target)) throw refuse(400, `Failed to create branch '${name}': ${BARRED}`);
    await git(["update-ref", target, sha, ""]);
  });
  const branch = await findBranch(repositories, project, name);
  if (!branch) throw notFound("Branch");
  return created(branchEntity(call, project, branch));
}

async function removeBranches(call: Call, project: Project, names: readonly string[]): Promise<void> {
  await moveRefs(call.box, project, call.authenticate(), async (git) => {
    for (const name of names) await git(["update-ref", "-d", `refs/heads/${name}`]);
  });
}

const time = ({ commit }: Branch): number => Date.parse(commit.committedDate);
const byName = (a: Branch, b: Branch): number => (a.name < b.name ? -1 : 1);
const ORDER = {
  name_asc: byName,
  updated_asc: (a: Branch, b: Branch) => time(a) - time(b) || byName(a, b),
  updated_desc: (a: Branch, b: Branch) => time(b) - time(a) || byName(a, b),
} as const;

function parsePattern(regex: string): (name: string) => boolean {
  const matches = parseExpression(regex);
  if (!matches) throw refuse(400, "Regex is invalid");
  return matches;
}
