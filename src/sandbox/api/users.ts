import { ok, recordNotFound, unauthorized } from "../reply.ts";
import { isExpired } from "../auth.ts";
import { paged } from "../paging.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Token } from "../state.ts";
import { tokenEntity, userPublic } from "./entities.ts";

function entity(call: Call, token: Token): Record<string, unknown> {
  const active = !token.revoked && !isExpired(call.box.state, token);
  return tokenEntity(call.box, token, active);
}

export const userRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/user",
    scopes: ["read_user", "ai_workflows"],
    params: {},
    handle: (call) => ok(userPublic(call.box, call.authenticate())),
  }),
  route({
    method: "GET",
    path: "/personal_access_tokens/self",
    scopes: "any",
    since: "tokenSelf",
    params: {},
    handle: (call) => ok(entity(call, call.currentToken())),
  }),
  route({
    method: "GET",
    path: "/personal_access_tokens",
    since: "tokenList",
    params: {},
    handle: (call) => {
      const user = call.authenticate();
      const own = [...call.box.state.tokens.values()].filter(
        (token) => user.admin || token.userId === user.id,
      );
      return paged(call, own, (token) => entity(call, token));
    },
  }),
  // From 15.1 to 15.4 this is where `…/self` ends up: no such id, hence 401 for a good token.
  route({
    method: "GET",
    path: "/personal_access_tokens/:id",
    since: "tokenById",
    params: {},
    handle: (call) => {
      const user = call.authenticate();
      const found = [...call.box.state.tokens.values()].find((token) => String(token.id) === call.path["id"]);
      if (found && (user.admin || found.userId === user.id)) return ok(entity(call, found));
      throw user.admin && call.box.version.has("tokenByIdAdmin404") ? recordNotFound() : unauthorized();
    },
  }),
];
