import { commaSeparated, date, text } from "../params.ts";
import { created, forbidden, notFound, refuse, refuseAsError, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import { insertToken } from "../seed-people.ts";
import type { User } from "../state.ts";
import { checkLifetime, defaultExpiry, dayIn } from "./token-dates.ts";
import { tokenEntity } from "./token-entity.ts";
import { tokenScopes } from "./token-scopes.ts";

const fields = {
  name: text,
  description: text.optional(),
  scopes: commaSeparated,
  expires_at: date.optional(),
};

interface Given {
  readonly name: string;
  readonly description?: string | undefined;
  readonly scopes: readonly string[];
  readonly expires_at?: string | undefined;
}

export const createTokenRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/users/:user_id/personal_access_tokens",
    since: "createTokenForUser",
    before: (call) => {
      if (!call.authenticate().admin) throw forbidden();
    },
    params: { user_id: text, ...fields },
    handle: (call, given) => {
      checkScopes(given.scopes, tokenScopes(call.box.version));
      const user = call.box.state.users.get(Number(given.user_id));
      if (!user) throw notFound("User");
      return createToken(call, user, given, defaultExpiry(call.box));
    },
  }),
  // Not a way to make tokens in general: it gives what cannot do harm in the API.
  route({
    method: "POST",
    path: "/user/personal_access_tokens",
    since: "createOwnToken",
    params: fields,
    handle: (call, given) => {
      const allowed = call.box.version.has("selfRotateScope") ? ["k8s_proxy", "self_rotate"] : ["k8s_proxy"];
      checkScopes(given.scopes, allowed);
      return createToken(call, call.authenticate(), given, dayIn(call.box.state, 0));
    },
  }),
];

function checkScopes(scopes: readonly string[], allowed: readonly string[]): void {
  if (!scopes.every((scope) => allowed.includes(scope))) {
    throw refuseAsError(400, "scopes does not have a valid value");
  }
}

function createToken(call: Call, user: User, given: Given, otherwise: string | null): Reply {
  const { box } = call;
  const expiresAt = given.expires_at ?? otherwise;
  const problem = expiresAt === null ? null : checkLifetime(box, expiresAt);
  if (given.scopes.length === 0) throw refuse(422, "Scopes can't be blank");
  if (problem !== null) throw refuse(422, problem);
  const { name, description = null, scopes } = given;
  const told = insertToken(box.state, { user, name, description, scopes, expiresAt });
  return created({ ...tokenEntity(box, told), token: told.value });
}
