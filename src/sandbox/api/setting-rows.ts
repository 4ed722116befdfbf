import { z } from "zod";
import { commaSeparated, flag, integer, number, oneOf, text } from "../params.ts";
import type { Settings } from "../control/knobs.ts";
import type { Feature } from "../versions.ts";

/** One of GitLab's application settings. */
export interface SettingRow {
  readonly name: string;
  readonly since?: Feature;
  /** From then on it is no longer told under this name; it can still be set. */
  readonly until?: Feature;
  readonly type: z.ZodType;
  /** What it is as long as nobody changed it; ours, where this sandbox acts by it. */
  readonly initial: unknown;
  /** Our setting behind it. */
  readonly ours?: keyof Settings;
}

const visibility = oneOf(["private", "internal", "public"]);
const protocol = z.enum(["ssh", "http", "nil", ""]);

const row = (
  name: string,
  type: z.ZodType,
  initial: unknown,
  more: Partial<SettingRow> = {},
): SettingRow => ({
  name,
  type,
  initial,
  ...more,
});

/** Those of §3 and the ones that other programs ask for most. */
export const SETTING_ROWS: readonly SettingRow[] = [
  row("default_projects_limit", integer, 100_000),
  row("signup_enabled", flag, true),
  row("password_authentication_enabled_for_web", flag, true),
  row("password_authentication_enabled_for_git", flag, true),
  row("gravatar_enabled", flag, true),
  row("home_page_url", text, ""),
  row("after_sign_out_path", text, ""),
  row("default_branch_protection", integer, 2),
  row("default_branch_name", text, null, { since: "defaultBranchName" }),
  row("restricted_visibility_levels", commaSeparated, []),
  row("max_attachment_size", integer, 10),
  row("session_expire_delay", integer, 10_080),
  row("default_project_visibility", visibility, "private"),
  row("default_snippet_visibility", visibility, "private"),
  row("default_group_visibility", visibility, "private"),
  row("default_project_creation", integer, 2),
  row("user_oauth_applications", flag, true),
  row("container_registry_token_expire_delay", integer, 5),
  row("terminal_max_session_time", integer, 0),
  row("polling_interval_multiplier", number, 1),
  row("enabled_git_access_protocol", protocol, ""),
  row("import_sources", commaSeparated, [
    "github",
    "bitbucket",
    "fogbugz",
    "git",
    "gitlab_project",
    "gitea",
    "manifest",
  ]),
  row("allow_local_requests_from_hooks_and_services", flag, true, {
    until: "localRequestsSplit",
    ours: "allowLocalRequests",
  }),
  row("allow_local_requests_from_web_hooks_and_services", flag, true, {
    since: "localRequestsSplit",
    ours: "allowLocalRequests",
  }),
  row("allow_local_requests_from_system_hooks", flag, true, { since: "localRequestsSplit" }),
  row("outbound_local_requests_whitelist", commaSeparated, [], {
    since: "localRequestsSplit",
    ours: "outboundAllowlist",
  }),
  row("dns_rebinding_protection_enabled", flag, true, {
    since: "localRequestsSplit",
    ours: "dnsRebindingProtection",
  }),
  row("deny_all_requests_except_allowed", flag, false, {
    since: "denyAllSetting",
    ours: "denyAllRequestsExceptAllowed",
  }),
  ...["rsa", "dsa", "ecdsa", "ed25519"].map((type) => row(`${type}_key_restriction`, integer, 0)),
  row("ecdsa_sk_key_restriction", integer, 0, { since: "securityKeyRestrictions" }),
  row("ed25519_sk_key_restriction", integer, 0, { since: "securityKeyRestrictions" }),
  row("push_event_hooks_limit", integer, 3, { since: "pushEventHooksLimit", ours: "pushEventHooksLimit" }),
  row("silent_mode_enabled", flag, false, { since: "silentMode", ours: "silentMode" }),
  row("admin_mode", flag, false, { since: "adminModeSetting", ours: "adminMode" }),
  row("disable_personal_access_tokens", flag, false, {
    since: "disableTokensSetting",
    ours: "personalAccessTokensDisabled",
  }),
  row("require_personal_access_token_expiry", flag, true, {
    since: "expiryOptional",
    ours: "requireTokenExpiry",
  }),
  row("personal_access_token_prefix", text, "", { since: "tokenPrefixSetting", ours: "tokenPrefix" }),
  row("enforce_terms", flag, false, { since: "userStateTexts" }),
  row("maintenance_mode_message", text, null, {
    since: "maintenanceSetting",
    ours: "maintenanceMessage",
  }),
  row("plantuml_enabled", flag, false),
  row("plantuml_url", text, null),
  row("sourcegraph_enabled", flag, false, { since: "sourcegraphSetting" }),
  row("sourcegraph_url", text, null, { since: "sourcegraphSetting" }),
  row("diagramsnet_enabled", flag, false, { since: "diagramsnetSetting" }),
  row("diagramsnet_url", text, null, { since: "diagramsnetSetting" }),
  row("snowplow_enabled", flag, false, { since: "snowplowSetting" }),
  row("snowplow_collector_hostname", text, null, { since: "snowplowSetting" }),
  row("snowplow_cookie_domain", text, null, { since: "snowplowSetting" }),
  row("ci_max_includes", integer, 150, { since: "createRunnerScope" }),
  row("pipeline_limit_per_project_user_sha", integer, 0, { since: "whatsNewVariant" }),
  row("pipeline_limit_per_user", integer, 0, { since: "pipelineLimitPerUser" }),
  row("whats_new_variant", oneOf(["all_tiers", "current_tier", "disabled"]), "all_tiers", {
    since: "whatsNewVariant",
  }),
];

/** A switch that needs a value beside it: turned on without one, the value is missing. */
export const NEEDED_BY: Readonly<Record<string, string>> = {
  plantuml_enabled: "plantuml_url",
  diagramsnet_enabled: "diagramsnet_url",
  snowplow_enabled: "snowplow_collector_hostname",
  sourcegraph_enabled: "sourcegraph_url",
};
