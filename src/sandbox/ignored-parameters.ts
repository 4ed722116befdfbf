import type { z } from "zod";
import { flag, integer, oneOf } from "./params.ts";

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
  "POST /projects": {
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
  },
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
