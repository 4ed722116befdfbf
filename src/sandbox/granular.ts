import { canSee, groupLevel, levelIn } from "./access.ts";
import type { Identity } from "./auth.ts";
import type { Box } from "./box.ts";
import { permissionOf, type Permission } from "./permissions.ts";
import { insufficientGranularScope } from "./reply.ts";
import type { Method } from "./route.ts";
import type { GranularScope, Group, Project, State, User } from "./state.ts";

/** What a request touches: GitLab's `Authz::Boundary`. */
type Boundary =
  | { readonly kind: "user" }
  | { readonly kind: "instance" }
  | { readonly kind: "project"; readonly project: Project }
  | { readonly kind: "group"; readonly group: Group };

/** Throws 403 `insufficient_granular_scope` unless the fine-grained token has the route's permission where the request goes (§2.6). */
export function checkGranular(
  { state, version }: Box,
  { user, token }: Identity,
  route: { readonly method: Method; readonly path: string },
  given: Readonly<Record<string, unknown>>,
): void {
  const permission = permissionOf(route.method, route.path);
  const boundary = permission && boundaryOf(state, user, permission, given);
  const word = version.has("granularBoundaries") ? "boundaries" : "boundary";
  if (!permission)
    throw insufficientGranularScope(`Unable to determine ${word} and permissions for authorization`);
  if (!boundary) throw insufficientGranularScope(`Unable to determine ${word} for authorization`);
  const granted = token.granularScopes.some(
    (scope) => scope.permissions.includes(permission.name) && covers(state, user, scope, boundary),
  );
  if (granted) return;
  const path = pathOf(boundary);
  throw insufficientGranularScope(
    `Access denied: Your Personal Access Token lacks the required permissions: [${permission.name}]${path === null ? "" : ` for "${path}"`}.`,
  );
}

function boundaryOf(
  state: State,
  user: User,
  permission: Permission,
  given: Readonly<Record<string, unknown>>,
): Boundary | null {
  const id = typeof given["id"] === "string" ? given["id"].toLowerCase() : "";
  switch (permission.boundary) {
    case "user":
      return { kind: "user" };
    case "instance":
      return { kind: "instance" };
    case "project": {
      const project = /^\d+$/.test(id) ? state.projects.get(Number(id)) : state.projectsByPath.get(id);
      return project && canSee(state, user, project) ? { kind: "project", project } : null;
    }
    case "group": {
      const group = /^\d+$/.test(id) ? state.groups.get(Number(id)) : state.groupsByPath.get(id);
      return group ? { kind: "group", group } : null;
    }
  }
}

function covers(state: State, user: User, scope: GranularScope, boundary: Boundary): boolean {
  switch (boundary.kind) {
    case "user":
    case "instance":
      return scope.access === boundary.kind;
    case "project":
      return coversProject(state, user, scope, boundary.project);
    case "group":
      if (scope.access === "all_memberships") return groupLevel(state, user, boundary.group.id) > 0;
      return scope.access === "selected_memberships" && isBelow(state, boundary.group.id, scope.groupId);
  }
}

function coversProject(state: State, user: User, scope: GranularScope, project: Project): boolean {
  switch (scope.access) {
    case "all_memberships":
      return levelIn(state, { ...user, admin: false }, project) > 0;
    case "personal_projects":
      return project.namespaceId === user.namespaceId;
    case "selected_memberships":
      return scope.projectId === project.id || isBelow(state, project.namespaceId, scope.groupId);
    case "user":
    case "instance":
      return false;
  }
}

function isBelow(state: State, groupId: number, ancestorId: number | null): boolean {
  for (let id: number | null = groupId; id !== null; id = state.groups.get(id)?.parentId ?? null) {
    if (id === ancestorId) return true;
  }
  return false;
}

function pathOf(boundary: Boundary): string | null {
  if (boundary.kind === "project") return boundary.project.fullPath;
  return boundary.kind === "group" ? boundary.group.fullPath : null;
}
