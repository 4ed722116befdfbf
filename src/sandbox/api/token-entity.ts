import { directLevel } from "../access.ts";
import { isExpired } from "../auth.ts";
import type { Box } from "../box.ts";
import type { Group, Project, Token, User } from "../state.ts";

/** GitLab's `PersonalAccessToken`. The addresses it was used from are told by some endpoints only. */
export function tokenEntity({ state, version }: Box, token: Token): Record<string, unknown> {
  return {
    id: token.id,
    name: token.name,
    revoked: token.revoked,
    created_at: token.createdAt,
    ...(version.has("tokenDescription") ? { description: token.description } : {}),
    scopes: token.scopes,
    user_id: token.userId,
    last_used_at: token.lastUsedAt,
    active: !token.revoked && !isExpired(state, token),
    expires_at: token.expiresAt,
    ...(version.has("granularScopesShown") && token.granularScopes.length > 0
      ? { granular_scopes: token.granularScopes.map(granularScope) }
      : {}),
  };
}

/** GitLab's `PersonalAccessTokenWithLastUsedIps`; 19.0 put the addresses behind a flag that is off (§2.3). */
export function tokenWithIps(
  box: Box,
  token: Token,
  since: "tokenLastUsedIps" | "tokenSelfLastUsedIps",
): Record<string, unknown> {
  const told = box.version.has(since) && !box.version.has("tokenIpsHidden");
  return { ...tokenEntity(box, token), ...(told ? { last_used_ips: token.lastUsedIps } : {}) };
}

function granularScope(scope: Token["granularScopes"][number]): Record<string, unknown> {
  const { access, permissions, projectId, groupId } = scope;
  return { access, permissions, project_id: projectId, group_id: groupId };
}

/** GitLab's `ResourceAccessToken`: of a project or group. */
export function resourceTokenEntity(
  box: Box,
  token: Token,
  bot: User,
  place: Project | Group,
): Record<string, unknown> {
  return {
    ...tokenEntity(box, token),
    access_level: directLevel(box.state, bot, place),
    ...(box.version.has("resourceOfToken")
      ? { resource_type: bot.botOf?.type, resource_id: bot.botOf?.id }
      : {}),
  };
}
