import { revokeFamily } from "../auth.ts";
import { badRequest } from "../reply.ts";
import type { Call } from "../route.ts";
import { insertToken, type ToldToken } from "../seed-people.ts";
import type { Token } from "../state.ts";
import { checkLifetime, dayIn } from "./token-dates.ts";

/** GitLab's `RotateService`: the old token dies as the new one appears. Whoever rotates a dead one ends the whole family (§2.5). */
export function rotateToken(call: Call, token: Token, expiresAt: string | undefined): ToldToken {
  const { state, version } = call.box;
  const user = state.users.get(token.userId);
  if (!user) throw badRequest("Failed to revoke token");
  if (token.revoked) {
    if (version.has("tokenFamilyRevocation")) revokeFamily(state, token);
    throw badRequest("Token already revoked");
  }
  const asked = version.has("tokenRotateExpiry") ? expiresAt : undefined;
  const problem = asked === undefined ? null : checkLifetime(call.box, asked);
  if (problem !== null) throw badRequest(problem);
  token.revoked = true;
  const mustExpire = !version.has("expiryOptional") || state.settings.requireTokenExpiry;
  const { kind, name, description, scopes, granularScopes } = token;
  const granular = granularScopes.length > 0 ? { granularScopes } : {};
  const given = { user, kind, name, description, scopes, ...granular };
  return insertToken(state, { ...given, expiresAt: asked ?? (mustExpire ? dayIn(state, 7) : null) }, token);
}
