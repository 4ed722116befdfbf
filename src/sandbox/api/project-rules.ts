import { problemsOfName, problemsOfPath } from "../names.ts";
import { refuse } from "../reply.ts";
import type { Call } from "../route.ts";
import type { Project, User, Visibility } from "../state.ts";

const TAKEN = "has already been taken";
const HEIGHT: Readonly<Record<Visibility, number>> = { private: 0, internal: 10, public: 20 };

export interface Wanted {
  readonly name: string;
  readonly path: string;
  readonly namespaceId: number;
  readonly namespacePath: string;
  readonly visibility: Visibility;
}

/** What the model of a project has against it; throws 400 with all of it by field. `self` is a project that stands already. */
export function checkModel(call: Call, user: User, wanted: Wanted, self: Project | null): void {
  const problems = { ...nameProblems(call, wanted, self), ...visibilityProblems(call, user, wanted, self) };
  if (Object.keys(problems).length > 0) throw modelErrors(call, problems);
}

/** Until 14.0 the check of the limit left an empty list behind in all errors of a model (§9.3). */
export function modelErrors(call: Call, problems: Readonly<Record<string, readonly string[]>>) {
  const left = call.box.version.has("modelErrorsWithoutLimitKey") ? {} : { limit_reached: [] };
  return refuse(400, { ...problems, ...left });
}

function nameProblems(call: Call, wanted: Wanted, self: Project | null): Record<string, readonly string[]> {
  const strict = call.box.version.has("strictNewProjectPaths");
  const { name, path, namespaceId } = wanted;
  const nameTaken = hasName(call, namespaceId, name, self);
  const names = self?.name === name ? [] : problemsOfName(name, strict);
  const paths = self?.path === path ? [] : problemsOfPath(path, strict);
  const fields = {
    "project_namespace.name": nameTaken && strict ? [TAKEN] : [],
    name: [...(nameTaken ? [TAKEN] : []), ...names],
    path: [...(hasPath(call, wanted, self) ? [TAKEN] : []), ...paths],
  };
  return Object.fromEntries(Object.entries(fields).filter(([, problems]) => problems.length > 0));
}

function hasPath(call: Call, { namespacePath, path }: Wanted, self: Project | null): boolean {
  const { projectsByPath, groupsByPath } = call.box.state;
  const full = `${namespacePath}/${path}`.toLowerCase();
  const holder = projectsByPath.get(full) ?? groupsByPath.get(full);
  return holder !== undefined && holder !== self;
}

function hasName(call: Call, namespaceId: number, name: string, self: Project | null): boolean {
  for (const project of call.box.state.projects.values()) {
    if (project.namespaceId === namespaceId && project.name === name && project !== self) return true;
  }
  return false;
}

function visibilityProblems(
  call: Call,
  user: User,
  { visibility, namespaceId }: Wanted,
  self: Project | null,
): Record<string, readonly string[]> {
  if (self?.visibility === visibility) return {};
  const { settings, groups } = call.box.state;
  if (settings.restrictedVisibilityLevels.includes(visibility) && !user.admin) {
    return { visibility_level: [`${visibility} has been restricted by your GitLab administrator`] };
  }
  const above = groups.get(namespaceId)?.visibility ?? "public";
  if (HEIGHT[visibility] <= HEIGHT[above]) return {};
  return { visibility_level: [`${visibility} is not allowed in a ${above} group.`] };
}

/** A new project is never more visible than its group; older versions refuse instead of lowering it. */
export function loweredVisibility(call: Call, visibility: Visibility, namespaceId: number): Visibility {
  const above = call.box.state.groups.get(namespaceId)?.visibility ?? "public";
  const lowered = HEIGHT[visibility] > HEIGHT[above] && call.box.version.has("visibilityLoweredToGroups");
  return lowered ? above : visibility;
}

export function isHigher(one: Visibility, other: Visibility): boolean {
  return HEIGHT[one] > HEIGHT[other];
}
