import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Box } from "../box.ts";
import { moveRefs } from "../git/move-refs.ts";
import { readRefs } from "../git/read.ts";
import { isFilePath, writeCommit } from "../git/write.ts";
import { moveProject, removeProject } from "../moves.ts";
import { isBranchName, problemsOfPath } from "../names.ts";
import type { Project } from "../state.ts";
import { action, findProject, findUser, where, who, type Action } from "./action.ts";
import { present } from "./present.ts";

const name = z.string().min(1).max(255);
const files = z.record(z.string().refine(isFilePath, "no path of a file"), z.string());
const branchName = z.string().refine(isBranchName, "no name of a branch");
const visibility = z.enum(["private", "internal", "public"]);

/** Projects, and what happens to them while somebody works with them. */
export const PROJECT_ACTIONS = {
  create_project: action(
    "makes a project, with a first commit when files are given",
    {
      path: name,
      owner: who.optional(),
      visibility: visibility.optional(),
      defaultBranch: branchName.optional(),
      description: z.string().max(2000).optional(),
      protectDefaultBranch: z.boolean().optional(),
      files: files.optional(),
    },
    async (box, { path, owner, ...rest }) => {
      const given = owner === undefined ? {} : { owner: findUser(box, owner) };
      const project = await box.seed.createProject({ path, ...given, ...present(rest) });
      return { id: project.id, path: project.fullPath };
    },
  ),
  set_project: action(
    "archives a project, switches its repository or CI off, changes who sees it",
    {
      project: where,
      archived: z.boolean().optional(),
      repositoryEnabled: z.boolean().optional(),
      buildsEnabled: z.boolean().optional(),
      visibility: visibility.optional(),
    },
    (box, { project: wanted, ...rest }) => {
      const project = findProject(box, wanted);
      Object.assign(project, present(rest));
      const { id, archived, repositoryEnabled, buildsEnabled, visibility } = project;
      return { id, archived, repositoryEnabled, buildsEnabled, visibility };
    },
  ),
  move_project: action(
    "gives a project another full path; the old one leads to it, as GitLab's does",
    { project: where, to: z.string().regex(/^[^/]+(\/[^/]+)+$/, "no full path of a project") },
    (box, { project: wanted, to }) => {
      const project = findProject(box, wanted);
      if (box.state.projectsByPath.has(to.toLowerCase()))
        throw new RangeError(`there is a project ${to} already`);
      const slash = to.lastIndexOf("/");
      const problems = problemsOfPath(to.slice(slash + 1), false);
      if (problems.length > 0) throw new RangeError(`no good path of a project: ${to}`);
      moveProject(box.state, project, namespaceOf(box, to.slice(0, slash)), to);
      return { id: project.id, path: project.fullPath };
    },
  ),
  delete_project: action(
    "takes a project away at once, with its hooks and keys",
    { project: where },
    (box, { project }) => {
      const found = findProject(box, project);
      removeProject(box.state, found);
      return { id: found.id, path: found.fullPath };
    },
  ),
  push: action(
    "commits a change and tells the hooks, as a push does; without files a line of CHANGES.md",
    {
      project: where,
      branch: branchName.optional(),
      user: who.optional(),
      message: z.string().min(1).max(10_000).optional(),
      files: files.optional(),
    },
    async (box, { project: wanted, branch, user, message, files }) => {
      const project = findProject(box, wanted);
      const to = branch ?? project.defaultBranch;
      const line = `${box.state.now()} ${randomUUID()}\n`;
      const changes = files ?? { "CHANGES.md": line };
      return push(box, project, {
        branch: to,
        user,
        message: message ?? "A change made by the sandbox",
        changes,
      });
    },
  ),
} as const satisfies Record<string, Action>;

/** A user's own namespace, or a group, which is made when it is missing. */
function namespaceOf(box: Box, path: string): number {
  const user = [...box.state.users.values()].find((one) => one.username.toLowerCase() === path.toLowerCase());
  return user?.namespaceId ?? box.seed.createGroup({ path }).id;
}

interface Push {
  readonly branch: string;
  readonly user: string | number | undefined;
  readonly message: string;
  readonly changes: Readonly<Record<string, string>>;
}

/** A branch that does not exist starts where the default branch is. */
async function push(box: Box, project: Project, { branch, user, message, changes }: Push): Promise<object> {
  const { repositories, state } = box;
  const author =
    user === undefined ? (state.users.get(project.creatorId) ?? box.seed.root) : findUser(box, user);
  let commit: string | null = null;
  await moveRefs(box, project, author, async () => {
    const refs = await readRefs(repositories, project);
    if (state.faults.git.diskFull) throw new RangeError("the disk is full: faults.git.diskFull is on");
    const taken = [...refs.keys()].find((ref) => excludes(ref, `refs/heads/${branch}`));
    if (taken !== undefined) throw new RangeError(`git cannot have ${branch} beside ${taken}`);
    const parent =
      refs.get(`refs/heads/${branch}`) ?? refs.get(`refs/heads/${project.defaultBranch}`) ?? null;
    await writeCommit(repositories, project, {
      branch,
      parent,
      message,
      authorName: author.name,
      authorEmail: author.email,
      at: state.clock.now(),
      changes: Object.entries(changes).map(([path, content]) => ({ path, content: Buffer.from(content) })),
    });
    commit = (await readRefs(repositories, project)).get(`refs/heads/${branch}`) ?? null;
  });
  return { project: project.fullPath, branch, commit };
}

/** A branch cannot be a file and a folder of others at once. */
function excludes(one: string, other: string): boolean {
  return one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
}
