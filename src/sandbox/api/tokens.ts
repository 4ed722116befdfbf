import { date, text } from "../params.ts";
import { paged } from "../paging.ts";
import { badRequest, noContent, nothingFound, ok, recordNotFound, unauthorized } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Token, User } from "../state.ts";
import { rotateToken } from "./rotate-token.ts";
import { tokenEntity, tokenWithIps } from "./token-entity.ts";
import { filterTokens, tokenFilters } from "./token-list.ts";

const path = "/personal_access_tokens";

function findById(call: Call, id: string): Token | null {
  return [...call.box.state.tokens.values()].find((token) => String(token.id) === id) ?? null;
}

/** Impersonation tokens are the administrators' business. */
function mayManage(user: User, token: Token): boolean {
  return user.admin || (token.userId === user.id && token.kind !== "impersonation");
}

/** Only administrators learn that there is no such token (15.3+); before, nobody does. */
function getManaged(call: Call, id: string): Token {
  const user = call.authenticate();
  const token = findById(call, id);
  if (token && token.kind !== "oauth" && mayManage(user, token)) return token;
  throw user.admin && call.box.version.has("tokenByIdAdmin404") ? nothingFound() : unauthorized();
}

/** Somebody else's tokens are for administrators. Their `user_id` must name somebody. */
function listed(call: Call): Token[] {
  const user = call.authenticate();
  const { user_id: userId } = call.input;
  const wanted = typeof userId === "string" || typeof userId === "number" ? String(userId) : null;
  const personal = [...call.box.state.tokens.values()].filter((token) => token.kind !== "oauth");
  if (!user.admin) {
    if (wanted !== null && wanted !== "" && wanted !== String(user.id)) throw unauthorized();
    return personal.filter((token) => mayManage(user, token));
  }
  if (wanted === null) return personal;
  if (!call.box.state.users.has(Number(wanted))) throw nothingFound();
  return personal.filter((token) => String(token.userId) === wanted);
}

const present =
  (call: Call) =>
  (token: Token): Record<string, unknown> =>
    tokenWithIps(call.box, token, "tokenLastUsedIps");

export const tokenRoutes: readonly Route[] = [
  route({
    method: "GET",
    path,
    since: "tokenList",
    until: "tokenFilters",
    params: {},
    handle: (call) => paged(call, listed(call), present(call)),
  }),
  route({
    method: "GET",
    path,
    since: "tokenFilters",
    before: (call) => void listed(call),
    params: tokenFilters,
    handle: (call, filters) =>
      paged(call, filterTokens(call.box.state, listed(call), filters), present(call)),
  }),
  // From 15.1 to 15.4 this is where `…/self` ends up: no such id, hence 401 for a good token.
  route({
    method: "GET",
    path: `${path}/:id`,
    since: "tokenById",
    params: { id: text },
    handle: (call, { id }) => ok(present(call)(getManaged(call, id))),
  }),
  route({
    method: "POST",
    path: `${path}/:id/rotate`,
    since: "tokenRotate",
    params: { id: text, expires_at: date.optional() },
    handle: (call, { id, expires_at }) => {
      const told = rotateToken(call, getManaged(call, id), expires_at);
      return ok({ ...tokenEntity(call.box, told), token: told.value });
    },
  }),
  route({
    method: "DELETE",
    path: `${path}/:id`,
    since: "tokenList",
    params: { id: text },
    handle: (call, { id }) => {
      const token = findById(call, id);
      if (!token) throw recordNotFound();
      if (!mayManage(call.authenticate(), token)) throw badRequest("Not permitted to revoke");
      token.revoked = true;
      return noContent();
    },
  }),
];
