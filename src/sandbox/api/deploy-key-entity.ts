import type { Box } from "../box.ts";
import type { DeployKey, DeployKeyLink } from "../state.ts";
import { projectIdentity } from "./project-entity.ts";

/** GitLab's `DeployKeysProject`: the key as it was sent, with its comment. */
export function deployKeyEntity(box: Box, key: DeployKey, link: DeployKeyLink): Record<string, unknown> {
  return { ...fields(box, key), can_push: link.canPush };
}

/** GitLab's `DeployKey`, for administrators: with the projects it opens instead of what it may do in one. */
export function instanceDeployKeyEntity(box: Box, key: DeployKey): Record<string, unknown> {
  const links = [...box.state.deployKeyLinks].filter((link) => link.keyId === key.id);
  const projects = (canPush: boolean): unknown[] =>
    links
      .filter((link) => link.canPush === canPush)
      .flatMap((link) => box.state.projects.get(link.projectId) ?? [])
      .map((project) => projectIdentity(box, project));
  return {
    ...fields(box, key),
    projects_with_write_access: projects(true),
    projects_with_readonly_access: projects(false),
  };
}

function fields({ version }: Box, key: DeployKey): Record<string, unknown> {
  return {
    id: key.id,
    title: key.title,
    created_at: key.createdAt,
    ...(version.has("deployKeyExpiry") ? { expires_at: key.expiresAt, last_used_at: null } : {}),
    key: key.key,
    ...(version.has("deployKeyExpiry") ? { usage_type: "auth" } : {}),
    fingerprint: key.fingerprint,
    ...(version.has("deployKeySha256") ? { fingerprint_sha256: key.fingerprintSha256 } : {}),
  };
}
