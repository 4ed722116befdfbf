import { canCreateIn, canReadCode } from "../access.ts";
import { problemsOfName, problemsOfPath } from "../names.ts";
import { integer, text } from "../params.ts";
import { created, notFound, refuse, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Project, User, Visibility } from "../state.ts";
import { findGroup } from "./find-group.ts";
import { getProject } from "./find-project.ts";
import { projectDetails } from "./project-entity.ts";
import { visibility } from "./project-params.ts";
import { isHigher, loweredVisibility } from "./project-rules.ts";

interface Wish {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly path?: string | undefined;
  readonly description?: string | undefined;
  readonly visibility?: Visibility | undefined;
}

async function fork(call: Call, wish: Wish): Promise<Reply> {
  const source = getProject(call);
  const user = call.authenticate();
  if (!canReadCode(call.box.state, user, source)) throw notFound("Project");
  const target = getTarget(call, user, wish.namespace);
  const { name = source.name, path = source.path } = wish;
  checkNames(call, target, name, path);
  const asked = wish.visibility ?? source.visibility;
  const level = isHigher(asked, source.visibility) ? source.visibility : asked;
  const project = await call.box.seed.createProject({
    path: `${target.path}/${path}`,
    name,
    owner: user,
    description: wish.description ?? source.description,
    visibility: loweredVisibility(call, level, target.id),
    defaultBranch: source.defaultBranch,
  });
  project.forkedFromId = source.id;
  source.forksCount += 1;
  call.box.imports.start(project, { type: "fork", from: source });
  return created(projectDetails(call.box, project, user));
}

function getTarget(call: Call, user: User, wanted: string | undefined): { id: number; path: string } {
  const own = [String(user.namespaceId), user.username, undefined].includes(wanted);
  if (own || wanted === undefined) return { id: user.namespaceId, path: user.username };
  const group = findGroup(call, wanted);
  if (!group) throw notFound("Namespace");
  if (!canCreateIn(call.box.state, user, group.id)) throw notFound("Target Namespace");
  return { id: group.id, path: group.fullPath };
}

function checkNames(call: Call, target: { id: number; path: string }, name: string, path: string): void {
  const { state, version } = call.box;
  const strict = version.has("strictNewProjectPaths");
  const full = `${target.path}/${path}`.toLowerCase();
  const siblings = [...state.projects.values()].filter((one: Project) => one.namespaceId === target.id);
  const problems = [
    ...(state.projectsByPath.has(full) || state.groupsByPath.has(full)
      ? ["Path has already been taken"]
      : []),
    ...(siblings.some((one) => one.name === name) ? ["Name has already been taken"] : []),
    ...problemsOfPath(path, strict).map((problem) => `Path ${problem}`),
    ...problemsOfName(name, strict).map((problem) => `Name ${problem}`),
  ];
  if (problems.length > 0) throw refuse(409, problems);
}

export const forkRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/projects/:id/fork",
    params: {
      namespace: text.optional(),
      namespace_id: integer.optional(),
      namespace_path: text.optional(),
      path: text.optional(),
      name: text.optional(),
      description: text.optional(),
      visibility: visibility.optional(),
    },
    rules: { mutuallyExclusive: [["namespace_id", "namespace_path", "namespace"]] },
    handle: (call, { namespace_id: id, namespace_path: fullPath, ...wish }) =>
      fork(call, { ...wish, namespace: wish.namespace ?? fullPath ?? id?.toString() }),
  }),
];
