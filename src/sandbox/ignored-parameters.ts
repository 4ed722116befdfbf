import type { z } from "zod";
import { flag, integer, integerOf, oneOf, text } from "./params.ts";

/** Of a project. */
const PROJECT_SETTINGS: z.ZodRawShape = {
  ...flags(
    "service_desk_enabled",
    "issues_enabled",
    "merge_requests_enabled",
    "wiki_enabled",
    "jobs_enabled",
  ),
  ...flags("snippets_enabled", "emails_disabled", "emails_enabled", "show_default_award_emojis"),
  ...flags("show_diff_preview_in_email", "warn_about_potentially_unwanted_characters"),
  ...flags("enforce_auth_checks_on_uploads", "shared_runners_enabled", "group_runners_enabled"),
  ...flags("resolve_outdated_diff_discussions", "remove_source_branch_after_merge", "packages_enabled"),
  ...flags(
    "container_registry_enabled",
    "lfs_enabled",
    "public_builds",
    "public_jobs",
    "request_access_enabled",
  ),
  ...flags("only_allow_merge_if_pipeline_succeeds", "allow_merge_on_skipped_pipeline"),
  ...flags("only_allow_merge_if_all_discussions_are_resolved", "printing_merge_request_link_enabled"),
  ...flags("auto_devops_enabled", "autoclose_referenced_issues", "mr_default_target_self"),
  ...accessLevels("issues", "repository", "merge_requests", "forking", "wiki", "builds", "snippets"),
  ...accessLevels("analytics", "container_registry", "security_and_compliance", "releases", "environments"),
  ...accessLevels("feature_flags", "infrastructure", "monitor", "model_experiments", "model_registry"),
  package_registry_access_level: oneOf(["disabled", "private", "enabled", "public"]).optional(),
  pages_access_level: oneOf(["disabled", "private", "enabled", "public"]).optional(),
  build_git_strategy: oneOf(["fetch", "clone"]).optional(),
  build_timeout: integer.optional(),
  auto_cancel_pending_pipelines: oneOf(["disabled", "enabled"]).optional(),
  merge_method: oneOf(["ff", "rebase_merge", "merge"]).optional(),
  squash_option: oneOf(["never", "always", "default_on", "default_off"]).optional(),
  auto_devops_deploy_strategy: oneOf(["continuous", "manual", "timed_incremental"]).optional(),
  repository_object_format: oneOf(["sha1", "sha256"]).optional(),
  resource_group_default_process_mode: oneOf([
    "unordered",
    "oldest_first",
    "newest_first",
    "newest_ready_first",
  ]).optional(),
};

/** Of a group. */
const GROUP_SETTINGS: z.ZodRawShape = {
  ...flags(
    "share_with_group_lock",
    "require_two_factor_authentication",
    "auto_devops_enabled",
    "emails_disabled",
  ),
  ...flags("emails_enabled", "show_diff_preview_in_email", "mentions_disabled", "lfs_enabled"),
  ...flags("request_access_enabled", "membership_lock"),
  two_factor_grace_period: integer.optional(),
  default_branch_protection: integerOf([0, 1, 2, 3, 4]).optional(),
  enabled_git_access_protocol: oneOf(["ssh", "http", "all"]).optional(),
};

/**
 * Parameters that change nothing here, but that GitLab 18.9 declares: it refuses a value of the wrong kind, and so does the sandbox. An endpoint that
 * learns to use one declares it itself, and its row here goes.
 */
const IGNORED: Readonly<Record<string, z.ZodRawShape>> = {
  "GET /deploy_keys": flags("public"),
  "GET /groups": {
    ...flags("statistics", "archived", "active", "with_custom_attributes"),
    visibility: oneOf(["private", "internal", "public"]).optional(),
    order_by: oneOf(["name", "path", "id", "similarity"]).optional(),
    sort: oneOf(["asc", "desc"]).optional(),
  },
  "GET /groups/:id": flags("with_custom_attributes", "with_projects"),
  "GET /namespaces": flags("owned_only", "top_level_only", "full_path_search"),
  "GET /projects": {
    ...flags(
      "search_namespaces",
      "starred",
      "imported",
      "with_issues_enabled",
      "with_merge_requests_enabled",
    ),
    ...flags("include_pending_delete", "active", "statistics", "with_custom_attributes"),
    id_after: integer.optional(),
    id_before: integer.optional(),
    topic_id: integer.optional(),
  },
  "GET /projects/:id": flags("statistics", "with_custom_attributes", "license"),
  "POST /projects": PROJECT_SETTINGS,
  "PUT /projects/:id": {
    ...PROJECT_SETTINGS,
    ...flags(
      "keep_latest_artifact",
      "ci_forward_deployment_enabled",
      "ci_forward_deployment_rollback_allowed",
    ),
    ...flags("ci_allow_fork_pipelines_to_run_in_parent_project", "ci_separated_caches"),
    ...flags("restrict_user_defined_variables", "ci_push_repository_for_job_token_allowed"),
    merge_request_title_regex: text.optional(),
    ci_default_git_depth: integer.optional(),
    ci_delete_pipelines_in_seconds: integer.optional(),
    max_artifacts_size: integer.optional(),
    ci_pipeline_variables_minimum_override_role: oneOf([
      "no_one_allowed",
      "developer",
      "maintainer",
      "owner",
    ]).optional(),
  },
  "GET /users/:user_id/projects": { ...flags("with_custom_attributes"), topic_id: integer.optional() },
  "DELETE /projects/:id/members/:user_id": flags("skip_subresources", "unassign_issuables"),
  "POST /groups": GROUP_SETTINGS,
  "PUT /groups/:id": {
    ...GROUP_SETTINGS,
    ...flags("prevent_sharing_groups_outside_hierarchy", "only_allow_merge_if_pipeline_succeeds"),
    ...flags("lock_math_rendering_limits_enabled", "math_rendering_limits_enabled"),
    ...flags("allow_merge_on_skipped_pipeline", "only_allow_merge_if_all_discussions_are_resolved"),
    max_artifacts_size: integer.optional(),
    shared_runners_setting: oneOf([
      "disabled_and_unoverridable",
      "disabled_and_overridable",
      "enabled",
    ]).optional(),
  },
  "GET /groups/:id/projects": flags("include_ancestor_groups", "with_custom_attributes"),
  "GET /groups/:id/subgroups": flags("with_custom_attributes"),
  "GET /groups/:id/descendant_groups": flags("with_custom_attributes"),
  "POST /projects/:id/environments": { cluster_agent_id: integer.optional() },
  "PUT /projects/:id/environments/:environment_id": { cluster_agent_id: integer.optional() },
  "GET /projects/:id/repository/archive": flags("include_lfs_blobs"),
  "GET /projects/:id/repository/branches": {
    sort: oneOf(["name_asc", "updated_asc", "updated_desc"]).optional(),
  },
  "GET /projects/:id/repository/commits": {
    ...flags("all", "with_stats", "first_parent", "trailers"),
    order: oneOf(["default", "topo"]).optional(),
  },
  "GET /projects/:id/repository/commits/:sha": flags("stats"),
  "GET /projects/:id/repository/commits/:sha/statuses": {
    pipeline_id: integer.optional(),
    order_by: oneOf(["id", "pipeline_id"]).optional(),
    sort: oneOf(["asc", "desc"]).optional(),
  },
  "GET /projects/:id/repository/compare": { ...flags("unidiff"), from_project_id: integer.optional() },
  "GET /projects/:id/merge_requests": {
    ...flags("with_labels_details", "with_merge_status_recheck"),
    approved: oneOf(["yes", "no"]).optional(),
    source_project_id: integer.optional(),
    merge_user_id: integer.optional(),
  },
  "POST /projects/:id/merge_requests": {
    ...flags("allow_collaboration", "allow_maintainer_to_push"),
    milestone_id: integer.optional(),
  },
  "GET /projects/:id/merge_requests/:merge_request_iid": flags(
    "render_html",
    "include_diverged_commits_count",
    "include_rebase_in_progress",
  ),
  "PUT /projects/:id/merge_requests/:merge_request_iid": {
    ...flags("allow_collaboration", "allow_maintainer_to_push"),
    milestone_id: integer.optional(),
  },
  "GET /projects/:id/merge_requests/:noteable_id/notes": {
    activity_filter: oneOf(["all_notes", "only_comments", "only_activity"]).optional(),
  },
  "POST /projects/:id/merge_requests/:noteable_id/notes": flags("confidential", "internal"),
  "PUT /projects/:id/merge_requests/:noteable_id/notes/:note_id": flags("confidential"),
  "GET /projects/:id/repository/tree": { pagination: oneOf(["legacy", "keyset", "none"]).optional() },
};

export function ignoredParameters(endpoint: string): z.ZodRawShape {
  return IGNORED[endpoint] ?? {};
}

function flags(...names: readonly string[]): z.ZodRawShape {
  return Object.fromEntries(names.map((name) => [name, flag.optional()]));
}

function accessLevels(...features: readonly string[]): z.ZodRawShape {
  const level = oneOf(["disabled", "private", "enabled"]).optional();
  return Object.fromEntries(features.map((feature) => [`${feature}_access_level`, level]));
}
