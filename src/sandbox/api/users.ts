import { flag, text } from "../params.ts";
import { paged } from "../paging.ts";
import { forbidden, notFound, ok } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { User } from "../state.ts";
import { userBasic, userPublic } from "./entities.ts";

const scopes = ["read_user", "ai_workflows"];

/** GitLab's `User` as others see it; administrators see all. */
function seenBy(call: Call, user: User): Record<string, unknown> {
  const reader = call.currentUser();
  if (reader?.admin) return { ...userPublic(call.box, user), is_admin: user.admin };
  const { created_at, bio, location, website_url, job_title, organization, bot } = userPublic(call.box, user);
  return {
    ...userBasic(call.box, user),
    created_at,
    bio,
    location,
    website_url,
    job_title,
    organization,
    bot,
  };
}

export const userRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/user",
    scopes,
    params: {},
    handle: (call) => ok(userPublic(call.box, call.authenticate())),
  }),
  route({
    method: "GET",
    path: "/users",
    scopes,
    authenticate: "lazily",
    params: {
      username: text.optional(),
      search: text.optional(),
      active: flag.optional(),
      blocked: flag.optional(),
      without_project_bots: flag.optional(),
    },
    handle: (call, filter) => {
      const reader = call.currentUser();
      if (!reader && filter.username === undefined) {
        throw forbidden("Not authorized to access /api/v4/users");
      }
      const wanted = filter.username?.toLowerCase();
      const search = (filter.search ?? "").toLowerCase();
      const found = [...call.box.state.users.values()].filter(
        (user) =>
          (wanted === undefined || user.username.toLowerCase() === wanted) &&
          (user.username.includes(search) || user.name.toLowerCase().includes(search)) &&
          (!filter.active || user.condition === "active") &&
          (!filter.blocked || user.condition === "blocked") &&
          (!filter.without_project_bots || user.botOf === null),
      );
      const rows = found.toSorted((a, b) => b.id - a.id);
      const present = reader?.admin ? seenBy : (_call: Call, user: User) => userBasic(call.box, user);
      return paged(call, rows, (user) => present(call, user));
    },
  }),
  route({
    method: "GET",
    path: "/users/:id",
    scopes,
    params: { id: text },
    handle: (call, { id }) => {
      const user = call.box.state.users.get(Number(id));
      if (!user) throw notFound("User");
      return ok(seenBy(call, user));
    },
  }),
];
