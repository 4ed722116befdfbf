import { LEVEL } from "../access.ts";
import { commaSeparated, date, integerOf, text } from "../params.ts";
import { paged } from "../paging.ts";
import {
  badRequest,
  created,
  noContent,
  nothingFound,
  ok,
  refuseAsError,
  unauthorized,
  type Reply,
} from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import { insertResourceToken } from "../seed-people.ts";
import type { Resource } from "../state.ts";
import type { Feature } from "../versions.ts";
import { botOf, getToken, holderOf, present, tokensOf, type Holder } from "./resource-token-rows.ts";
import { rotateToken } from "./rotate-token.ts";
import { checkLifetime, defaultExpiry } from "./token-dates.ts";
import { filterTokens, tokenFilters } from "./token-list.ts";
import { botScopes } from "./token-scopes.ts";

const NOT_HELD = "Access level of the token contains permissions not held by the creating user";

interface Given {
  readonly name: string;
  readonly description?: string | undefined;
  readonly scopes: readonly string[];
  readonly access_level?: number | undefined;
  readonly expires_at?: string | undefined;
}

function create(call: Call, holder: Holder, given: Given): Reply {
  const { box } = call;
  if (!given.scopes.every((scope) => botScopes(box.version).includes(scope))) {
    throw refuseAsError(400, "scopes does not have a valid value");
  }
  const { type } = holder.resource;
  if (!holder.manages || call.authenticate().bot) {
    throw badRequest(`User does not have permission to create ${type} access token`);
  }
  const accessLevel = given.access_level ?? LEVEL.maintainer;
  if (accessLevel > holder.level) throw badRequest(NOT_HELD);
  const expiresAt = given.expires_at ?? defaultExpiry(box);
  const problem = expiresAt === null ? null : checkLifetime(box, expiresAt);
  if (given.scopes.length === 0) throw badRequest("Scopes can't be blank");
  if (problem !== null) throw badRequest(problem);
  const { name, description = null, scopes } = given;
  const { resource } = holder;
  const told = insertResourceToken(box.state, {
    resource,
    name,
    description,
    scopes,
    accessLevel,
    expiresAt,
  });
  return created(present(call, holder, told));
}

/** Only administrators learn that there is no such token. A bot above the caller is out of reach. */
function rotate(call: Call, holder: Holder, id: string, expiresAt: string | undefined): Reply {
  const token = holder.manages && tokensOf(call, holder).find((each) => String(each.id) === id);
  if (!token) throw call.authenticate().admin ? nothingFound() : unauthorized();
  const bot = botOf(call, holder, token);
  const level = bot ? (holder.place.members.get(bot.id) ?? 0) : 0;
  if (level > holder.level && !token.revoked) {
    throw badRequest("Not eligible to rotate tokens with permissions not held by the user");
  }
  return ok(present(call, holder, rotateToken(call, token, expiresAt)));
}

function revoke(call: Call, holder: Holder, id: string): Reply {
  const token = getToken(call, holder, id);
  const bot = botOf(call, holder, token);
  if (!holder.manages) throw badRequest(`${call.authenticate().name} cannot delete ${bot?.name ?? ""}`);
  token.revoked = true;
  if (bot) holder.place.members.delete(bot.id);
  return noContent();
}

function readable(call: Call, type: Resource["type"]): Holder {
  const holder = holderOf(call, type);
  if (!holder.manages) throw unauthorized();
  return holder;
}

function readRoutes(type: Resource["type"], since: Feature): Route[] {
  const path = `/${type}s/:id/access_tokens`;
  return [
    route({
      method: "GET",
      path,
      since,
      params: tokenFilters,
      handle: (call, filters) => {
        const holder = readable(call, type);
        const rows = filterTokens(call.box.state, tokensOf(call, holder), filters);
        return paged(call, rows, (token) => present(call, holder, token));
      },
    }),
    route({
      method: "GET",
      path: `${path}/:token_id`,
      since: "resourceTokenById",
      params: { token_id: text },
      handle: (call, { token_id }) => {
        const holder = readable(call, type);
        return ok(present(call, holder, getToken(call, holder, token_id)));
      },
    }),
  ];
}

function makeRoutes(type: Resource["type"], since: Feature): Route[] {
  const path = `/${type}s/:id/access_tokens`;
  return [
    route({
      method: "POST",
      path,
      since,
      params: {
        name: text,
        description: text.optional(),
        scopes: commaSeparated,
        expires_at: date.optional(),
        access_level: integerOf([10, 15, 20, 30, 40, 50]).optional(),
      },
      handle: (call, given) => create(call, holderOf(call, type), given),
    }),
    route({
      method: "DELETE",
      path: `${path}/:token_id`,
      since,
      params: { token_id: text },
      handle: (call, { token_id }) => revoke(call, holderOf(call, type), token_id),
    }),
  ];
}

function rotateRoutes(type: Resource["type"]): Route[] {
  const path = `/${type}s/:id/access_tokens`;
  return [
    route({
      method: "POST",
      path: `${path}/self/rotate`,
      scopes: [{ name: "self_rotate", writes: true }],
      since: "selfRotateScope",
      params: { expires_at: date.optional() },
      handle: (call, { expires_at }) => {
        const holder = holderOf(call, type);
        const token = call.currentToken();
        if (botOf(call, holder, token) === null) throw unauthorized();
        return ok(present(call, holder, rotateToken(call, token, expires_at)));
      },
    }),
    route({
      method: "POST",
      path: `${path}/:token_id/rotate`,
      since: "tokenRotate",
      params: { token_id: text, expires_at: date.optional() },
      handle: (call, { token_id, expires_at }) => rotate(call, holderOf(call, type), token_id, expires_at),
    }),
  ];
}

export const resourceTokenRoutes: readonly Route[] = [
  ...readRoutes("project", "projectAccessTokens"),
  ...makeRoutes("project", "projectAccessTokens"),
  ...rotateRoutes("project"),
  ...readRoutes("group", "groupAccessTokens"),
  ...makeRoutes("group", "groupAccessTokens"),
  ...rotateRoutes("group"),
];
