import type { Box } from "../box.ts";
import { HOOK_EVENTS, type Hook } from "../state.ts";

/** GitLab's `ProjectHook`. The token is never told; a list leaves out variables and headers. */
export function hookEntity(box: Box, hook: Hook, as: "list" | "single"): Record<string, unknown> {
  const { version } = box;
  const keys = (pairs: Hook["customHeaders"]): unknown => pairs.map(({ key }) => ({ key }));
  return {
    id: hook.id,
    url: hook.url,
    ...(version.has("hookName") ? { name: hook.name, description: hook.description } : {}),
    created_at: hook.createdAt,
    repository_update_events: false,
    enable_ssl_verification: hook.enableSslVerification,
    ...(version.has("hookAlertStatus")
      ? { alert_status: hook.alertStatus, disabled_until: hook.disabledUntil }
      : {}),
    ...(as === "single" && version.has("hookCustomHeaders")
      ? { url_variables: keys(hook.urlVariables), custom_headers: keys(hook.customHeaders) }
      : {}),
    ...(version.has("hookBranchFilter") ? { push_events_branch_filter: hook.branchFilter } : {}),
    ...(version.has("hookBranchFilterStrategy") ? { branch_filter_strategy: hook.branchFilterStrategy } : {}),
    ...(version.has("hookCustomHeaders") ? { custom_webhook_template: hook.customTemplate } : {}),
    project_id: hook.projectId,
    ...Object.fromEntries(HOOK_EVENTS.map((event) => [event, hook.events.has(event)])),
    ...(version.has("hookSigningToken")
      ? { token_present: hook.token !== null, signing_token_present: hook.signingToken !== null }
      : {}),
  };
}
