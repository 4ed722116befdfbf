import type { Method } from "./route.ts";

export interface Permission {
  /** GitLab's name. */
  readonly name: string;
  readonly boundary: "user" | "instance" | "project" | "group";
}

/**
 * What a fine-grained token needs for a route, in GitLab's names (`route_setting :authorization`, §2.6). Those of webhooks, deploy keys,
 * tokens, settings and commit statuses were read in its source, the others follow its convention `<verb>_<resource>`. A route that is
 * missing here is closed to these tokens, as a route without the setting is in GitLab.
 */
const PERMISSIONS: Readonly<Record<Permission["boundary"], Readonly<Record<string, string>>>> = {
  instance: {
    "GET /version": "read_metadata",
    "GET /metadata": "read_metadata",
    "GET /application/settings": "read_application_setting",
    "PUT /application/settings": "update_application_setting",
    "GET /deploy_keys": "read_deploy_key",
  },
  user: {
    "GET /user": "read_user",
    "GET /users": "read_user",
    "GET /users/:": "read_user",
    "GET /personal_access_tokens": "read_personal_access_token",
    "GET /personal_access_tokens/self": "read_personal_access_token",
    "GET /personal_access_tokens/self/associations": "read_personal_access_token",
    "GET /personal_access_tokens/:": "read_personal_access_token",
    "DELETE /personal_access_tokens/self": "revoke_personal_access_token",
    "DELETE /personal_access_tokens/:": "revoke_personal_access_token",
    "POST /personal_access_tokens/self/rotate": "rotate_personal_access_token",
    "POST /personal_access_tokens/:/rotate": "rotate_personal_access_token",
    "GET /projects": "read_project",
    "POST /projects": "create_project",
    "GET /groups": "read_group",
    "POST /groups": "create_group",
    "GET /namespaces": "read_namespace",
    "GET /namespaces/:": "read_namespace",
  },
  group: {
    "GET /groups/:": "read_group",
    "PUT /groups/:": "update_group",
    "DELETE /groups/:": "delete_group",
    "GET /groups/:/projects": "read_project",
    "GET /groups/:/subgroups": "read_group",
    "GET /groups/:/members": "read_member",
    "GET /groups/:/members/all": "read_member",
    "GET /groups/:/access_tokens": "read_resource_access_token",
    "GET /groups/:/access_tokens/:": "read_resource_access_token",
    "POST /groups/:/access_tokens": "create_resource_access_token",
    "POST /groups/:/access_tokens/:/rotate": "rotate_resource_access_token",
    "DELETE /groups/:/access_tokens/:": "delete_resource_access_token",
  },
  project: {
    "GET /projects/:": "read_project",
    "PUT /projects/:": "update_project",
    "DELETE /projects/:": "delete_project",
    "GET /projects/:/import": "read_project_import",
    "GET /projects/:/members": "read_member",
    "GET /projects/:/members/all": "read_member",
    "GET /projects/:/members/:": "read_member",
    "GET /projects/:/members/all/:": "read_member",
    "GET /projects/:/access_tokens": "read_resource_access_token",
    "GET /projects/:/access_tokens/:": "read_resource_access_token",
    "POST /projects/:/access_tokens": "create_resource_access_token",
    "POST /projects/:/access_tokens/:/rotate": "rotate_resource_access_token",
    "DELETE /projects/:/access_tokens/:": "delete_resource_access_token",
    "GET /projects/:/hooks": "read_webhook",
    "POST /projects/:/hooks": "create_webhook",
    "GET /projects/:/hooks/:": "read_webhook",
    "PUT /projects/:/hooks/:": "update_webhook",
    "DELETE /projects/:/hooks/:": "delete_webhook",
    "POST /projects/:/hooks/:/test/:": "test_webhook",
    "GET /projects/:/hooks/:/events": "read_webhook_event",
    "POST /projects/:/hooks/:/events/:/resend": "resend_webhook_event",
    "GET /projects/:/deploy_keys": "read_deploy_key",
    "POST /projects/:/deploy_keys": "create_deploy_key",
    "GET /projects/:/deploy_keys/:": "read_deploy_key",
    "PUT /projects/:/deploy_keys/:": "update_deploy_key",
    "DELETE /projects/:/deploy_keys/:": "delete_deploy_key",
    "POST /projects/:/deploy_keys/:/enable": "enable_deploy_key",
    "GET /projects/:/repository/branches": "read_branch",
    "GET /projects/:/repository/branches/:": "read_branch",
    "POST /projects/:/repository/branches": "create_branch",
    "DELETE /projects/:/repository/branches/:": "delete_branch",
    "GET /projects/:/repository/tree": "read_repository_tree",
    "GET /projects/:/repository/compare": "read_commit",
    "GET /projects/:/repository/archive": "download_code",
    "GET /projects/:/repository/commits": "read_commit",
    "GET /projects/:/repository/commits/:": "read_commit",
    "POST /projects/:/repository/commits": "create_commit",
    "GET /projects/:/repository/commits/:/statuses": "read_commit_status",
    "POST /projects/:/statuses/:": "create_commit_status",
    "GET /projects/:/repository/files/:": "read_repository_file",
    "GET /projects/:/repository/files/:/raw": "read_repository_file",
    "POST /projects/:/repository/files/:": "create_repository_file",
    "PUT /projects/:/repository/files/:": "update_repository_file",
    "DELETE /projects/:/repository/files/:": "delete_repository_file",
    "GET /projects/:/environments": "read_environment",
    "POST /projects/:/environments": "create_environment",
    "GET /projects/:/environments/:": "read_environment",
    "PUT /projects/:/environments/:": "update_environment",
    "DELETE /projects/:/environments/:": "delete_environment",
    "POST /projects/:/environments/:/stop": "stop_environment",
    "GET /projects/:/deployments": "read_deployment",
    "POST /projects/:/deployments": "create_deployment",
    "GET /projects/:/deployments/:": "read_deployment",
    "PUT /projects/:/deployments/:": "update_deployment",
    "DELETE /projects/:/deployments/:": "delete_deployment",
    "GET /projects/:/merge_requests": "read_merge_request",
    "POST /projects/:/merge_requests": "create_merge_request",
    "GET /projects/:/merge_requests/:": "read_merge_request",
    "PUT /projects/:/merge_requests/:": "update_merge_request",
    "GET /projects/:/merge_requests/:/notes": "read_merge_request_note",
    "POST /projects/:/merge_requests/:/notes": "create_merge_request_note",
    "PUT /projects/:/merge_requests/:/notes/:": "update_merge_request_note",
  },
};

const BOUNDARIES = ["instance", "user", "group", "project"] as const;

/** By the route's path as it is declared; the names of its parts do not matter. */
export function permissionOf(method: Method, path: string): Permission | null {
  const key = `${method} ${path.replaceAll(/:[a-z_]+/g, ":")}`;
  for (const boundary of BOUNDARIES) {
    const name = PERMISSIONS[boundary][key];
    if (name !== undefined) return { name, boundary };
  }
  return null;
}
