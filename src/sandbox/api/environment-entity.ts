import type { Box } from "../box.ts";
import type { Deployment, Environment } from "../work-rows.ts";
import { userBasic } from "./entities.ts";

/** GitLab's `EnvironmentBasic`. */
function environmentBasic(row: Environment): Record<string, unknown> {
  return {
    id: row.id,
    name: row.name,
    slug: row.slug,
    external_url: row.externalUrl,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
  };
}

/** GitLab's `Environment`; a single one tells its last deployment. */
export function environmentEntity(
  box: Box,
  row: Environment,
  as: "list" | "single",
): Record<string, unknown> {
  const { version } = box;
  const last = as === "single" ? lastDeployment(box, row) : undefined;
  return {
    ...environmentBasic(row),
    ...(version.has("environmentTier") ? { tier: row.tier } : {}),
    ...(version.has("environmentState") ? { state: row.state } : {}),
    ...(version.has("environmentDescription") ? { description: row.description } : {}),
    ...(version.has("environmentClusterFields")
      ? { auto_stop_at: null, cluster_agent: null, kubernetes_namespace: null, flux_resource_path: null }
      : {}),
    ...(version.has("environmentAutoStopSetting") ? { auto_stop_setting: row.autoStopSetting } : {}),
    ...(as === "single" && version.has("environmentState")
      ? { last_deployment: last ? deploymentEntity(box, last) : null }
      : {}),
  };
}

/** The newest that succeeded: what runs there. */
export function lastDeployment(box: Box, row: Environment): Deployment | undefined {
  return [...box.state.deployments.values()].findLast(
    (one) => one.environmentId === row.id && one.status === "success",
  );
}

/** GitLab's `Deployment`. */
export function deploymentEntity(box: Box, row: Deployment): Record<string, unknown> {
  const user = box.state.users.get(row.userId);
  const environment = box.state.environments.get(row.environmentId);
  return {
    id: row.id,
    iid: row.iid,
    ref: row.ref,
    sha: row.sha,
    created_at: row.createdAt,
    ...(box.version.has("createDeployment") ? { updated_at: row.updatedAt } : {}),
    user: user ? userBasic(box, user) : null,
    environment: environment ? environmentBasic(environment) : null,
    deployable: null,
    ...(box.version.has("createDeployment") ? { status: row.status } : {}),
  };
}
