import { canSee, levelIn } from "../access.ts";
import { flag, integer, oneOf, text } from "../params.ts";
import { paged } from "../paging.ts";
import { ok, notFound } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Project } from "../state.ts";
import { getProject } from "./find-project.ts";
import { createProjectRoute } from "./create-project.ts";
import { projectBasics, projectEntity } from "./project-entity.ts";
import { userBasic } from "./entities.ts";

const listFilters = {
  membership: flag.optional(),
  owned: flag.optional(),
  simple: flag.optional(),
  archived: flag.optional(),
  min_access_level: integer.optional(),
  search: text.optional(),
  visibility: oneOf(["private", "internal", "public"]).optional(),
  order_by: oneOf(["id", "name", "path", "created_at", "updated_at", "last_activity_at"]).optional(),
  sort: oneOf(["asc", "desc"]).optional(),
};

const SORT_KEY: Readonly<Record<string, (project: Project) => string | number>> = {
  id: (project) => project.id,
  name: (project) => project.name,
  path: (project) => project.path,
  updated_at: (project) => project.lastActivityAt,
  last_activity_at: (project) => project.lastActivityAt,
};

function sorted(projects: readonly Project[], orderBy: string, descending: boolean): Project[] {
  const key = SORT_KEY[orderBy] ?? ((project: Project) => project.createdAt);
  const direction = descending ? -1 : 1;
  return projects.toSorted((a, b) => {
    const [left, right] = [key(a), key(b)];
    const order = left < right ? -1 : left > right ? 1 : a.id - b.id;
    return order * direction;
  });
}

export const projectRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/projects",
    scopes: ["ai_workflows"],
    authenticate: "lazily",
    params: listFilters,
    handle: (call, filter) => {
      const user = call.currentUser();
      const { state } = call.box;
      const level = Math.max(filter.min_access_level ?? 0, filter.membership ? 1 : 0, filter.owned ? 50 : 0);
      const found = [...state.projects.values()].filter(
        (project) =>
          canSee(state, user, project) &&
          memberLevel(call, project) >= level &&
          (filter.archived === undefined || project.archived === filter.archived) &&
          (filter.visibility === undefined || project.visibility === filter.visibility) &&
          matches(project, filter.search),
      );
      const present = filter.simple || user === null ? projectBasics : projectEntity;
      const rows = sorted(found, filter.order_by ?? "created_at", filter.sort !== "asc");
      return paged(call, rows, (project) => present(call.box, project, user));
    },
  }),
  createProjectRoute,
  route({
    method: "GET",
    path: "/projects/:id",
    scopes: ["ai_workflows"],
    authenticate: "lazily",
    params: {},
    handle: (call) => {
      const project = getProject(call);
      const user = call.currentUser();
      return ok(user ? projectEntity(call.box, project, user) : projectBasics(call.box, project, null));
    },
  }),
  route({
    method: "GET",
    path: "/projects/:id/members/all/:user_id",
    since: "memberLookupAll",
    params: { user_id: integer },
    handle: (call, { user_id }) => {
      const project = getProject(call);
      const user = call.box.state.users.get(user_id);
      const level = user ? memberLevelOf(call, project, user_id) : 0;
      if (!user || level === 0) throw notFound("Member");
      const membership = { access_level: level, created_at: project.createdAt, expires_at: null };
      return ok({ ...userBasic(call.box, user), ...membership, membership_state: "active" });
    },
  }),
];

/** Membership only: that an administrator may do everything makes nobody a member. */
function memberLevelOf(call: Call, project: Project, userId: number): number {
  const user = call.box.state.users.get(userId);
  return user ? levelIn(call.box.state, { ...user, admin: false }, project) : 0;
}

function memberLevel(call: Call, project: Project): number {
  return memberLevelOf(call, project, call.currentUser()?.id ?? 0);
}

function matches(project: Project, search: string | undefined): boolean {
  if (search === undefined) return true;
  const wanted = search.toLowerCase();
  return [project.name, project.path, project.description].some((part) =>
    part.toLowerCase().includes(wanted),
  );
}
