import type { Box } from "../box.ts";
import type { Hook, KeyValue } from "../state.ts";
import type { Version } from "../versions.ts";
import { alertStatus } from "../webhooks/failures.ts";
import { hookEvents } from "./hook-fields.ts";

/** GitLab's `ProjectHook`. The token is never told; a list leaves out variables and headers. */
export function hookEntity(box: Box, hook: Hook, as: "list" | "single"): Record<string, unknown> {
  const { version } = box;
  return {
    id: hook.id,
    url: hook.url,
    ...(version.has("hookName") ? { name: hook.name, description: hook.description } : {}),
    created_at: hook.createdAt,
    repository_update_events: false,
    enable_ssl_verification: hook.enableSslVerification,
    ...(version.has("hookAlertStatus") ? alertPart(box, hook) : {}),
    ...filterPart(version, hook),
    ...(version.has("hookTemplate") ? { custom_webhook_template: hook.customTemplate } : {}),
    ...(as === "single" ? keysPart(version, hook) : {}),
    project_id: hook.projectId,
    ...Object.fromEntries(hookEvents(version).map((event) => [event, hook.events.has(event)])),
    ...(version.has("hookSigningToken")
      ? { token_present: hook.token !== null, signing_token_present: hook.signingToken !== null }
      : {}),
  };
}

function alertPart(box: Box, hook: Hook): Record<string, unknown> {
  const status = alertStatus(box.state, box.version, hook);
  const until = status === "executable" ? null : hook.disabledUntil;
  return { alert_status: status, disabled_until: until === null ? null : new Date(until).toISOString() };
}

function filterPart(version: Version, hook: Hook): Record<string, unknown> {
  return {
    ...(version.has("hookBranchFilter") ? { push_events_branch_filter: hook.branchFilter } : {}),
    ...(version.has("hookBranchFilterStrategy") ? { branch_filter_strategy: hook.branchFilterStrategy } : {}),
  };
}

/** Values go in and never come out: only the names are told. */
function keysPart(version: Version, hook: Hook): Record<string, unknown> {
  const keys = (pairs: readonly KeyValue[]): unknown => pairs.map(({ key }) => ({ key }));
  return {
    ...(version.has("hookUrlVariables") ? { url_variables: keys(hook.urlVariables) } : {}),
    ...(version.has("hookCustomHeaders") ? { custom_headers: keys(hook.customHeaders) } : {}),
  };
}
