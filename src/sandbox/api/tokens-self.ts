import { canSee, groupLevel, LEVEL, levelIn } from "../access.ts";
import { date, integerOf } from "../params.ts";
import { paged } from "../paging.ts";
import { badRequest, methodNotAllowed, noContent, ok, refuse } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Group, Project, Token } from "../state.ts";
import { webUrl } from "../urls.ts";
import { findNamespaceOwner, namespaceBasic } from "./namespace-entity.ts";
import { projectIdentity } from "./project-entity.ts";
import { rotateToken } from "./rotate-token.ts";
import { tokenEntity, tokenWithIps } from "./token-entity.ts";

const path = "/personal_access_tokens/self";

/** OAuth tokens are told so since 17.8; before, GitLab broke on them. */
function ownToken(call: Call): Token {
  call.authenticate();
  const token = call.currentToken();
  if (token.kind !== "oauth") return token;
  if (!call.box.version.has("tokenSelfRefusesOauth")) throw refuse(500, "500 Internal Server Error");
  throw badRequest("This endpoint requires token type to be a personal access token");
}

function revokeOwn(call: Call): ReturnType<typeof noContent> {
  const token = ownToken(call);
  if (token.kind === "impersonation" && !call.authenticate().admin) {
    throw badRequest("Not permitted to revoke");
  }
  token.revoked = true;
  return noContent();
}

export const selfTokenRoutes: readonly Route[] = [
  route({
    method: "GET",
    path,
    scopes: "any",
    since: "tokenSelf",
    params: {},
    handle: (call) => ok(tokenWithIps(call.box, ownToken(call), "tokenSelfLastUsedIps")),
  }),
  route({
    method: "DELETE",
    path,
    since: "tokenRevokeSelf",
    until: "tokenRevokeSelfAnyScope",
    params: {},
    handle: revokeOwn,
  }),
  route({
    method: "DELETE",
    path,
    scopes: "any",
    since: "tokenRevokeSelfAnyScope",
    params: {},
    handle: revokeOwn,
  }),
  route({
    method: "POST",
    path: `${path}/rotate`,
    scopes: [{ name: "self_rotate", writes: true }],
    since: "tokenRotateSelf",
    params: { expires_at: date.optional() },
    handle: (call, { expires_at }) => {
      call.authenticate();
      const token = call.currentToken();
      if (token.kind === "oauth") throw methodNotAllowed();
      const told = rotateToken(call, token, expires_at);
      return ok({ ...tokenEntity(call.box, told), token: told.value });
    },
  }),
  route({
    method: "GET",
    path: `${path}/associations`,
    scopes: "any",
    since: "tokenAssociations",
    before: (call) => void ownToken(call),
    params: { min_access_level: integerOf([10, 15, 20, 30, 40, 50]).optional() },
    handle: async (call, { min_access_level = 0 }) => {
      const groups = await paged(call, groupsOf(call, min_access_level), (group) =>
        groupAssociation(call, group),
      );
      const projects = await paged(call, projectsOf(call, min_access_level), (project) =>
        projectAssociation(call, project),
      );
      return ok({ groups: groups.json, projects: projects.json }, projects.headers);
    },
  }),
];

function groupsOf(call: Call, level: number): Group[] {
  const user = call.authenticate();
  const { state } = call.box;
  return [...state.groups.values()].filter((group) => {
    const own = groupLevel(state, user, group.id);
    return own >= level && (own > 0 || group.visibility !== "private" || user.admin);
  });
}

function projectsOf(call: Call, level: number): Project[] {
  const user = call.authenticate();
  const { state } = call.box;
  return [...state.projects.values()].filter(
    (project) => canSee(state, user, project) && levelIn(state, { ...user, admin: false }, project) >= level,
  );
}

function groupAssociation(call: Call, group: Group): Record<string, unknown> {
  const level = groupLevel(call.box.state, call.authenticate(), group.id);
  return {
    id: group.id,
    web_url: `${call.box.url}/groups/${group.fullPath}`,
    name: group.name,
    parent_id: group.parentId,
    organization_id: 1,
    access_levels: level > 0 ? level : null,
    visibility: group.visibility,
  };
}

function projectAssociation(call: Call, project: Project): Record<string, unknown> {
  const { state } = call.box;
  const user = call.authenticate();
  const direct = project.members.get(user.id);
  const own = project.namespaceId === user.namespaceId ? LEVEL.owner : null;
  const inherited = groupLevel(state, user, project.namespaceId);
  return {
    ...projectIdentity(call.box, project),
    access_levels: {
      project_access_level: direct ?? own,
      group_access_level: inherited > 0 ? inherited : null,
    },
    visibility: project.visibility,
    web_url: webUrl(call.box, project),
    namespace: namespaceOf(call, project),
  };
}

function namespaceOf({ box }: Call, project: Project): Record<string, unknown> | null {
  const { groups } = box.state;
  const place = groups.get(project.namespaceId) ?? findNamespaceOwner(box.state, project.namespaceId);
  return place ? namespaceBasic(box, place) : null;
}
