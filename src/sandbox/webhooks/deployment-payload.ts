import type { Box } from "../box.ts";
import type { Commit } from "../git/read.ts";
import type { Project, User } from "../state.ts";
import { commitUrl, userUrl } from "../urls.ts";
import type { Deployment, Environment } from "../work-rows.ts";
import { userPart } from "./people-part.ts";
import { projectPart } from "./project-part.ts";

/** The body of a deployment hook; these deployments have no job behind them. */
export function deploymentPayload(
  box: Pick<Box, "url" | "version">,
  project: Project,
  user: User,
  row: Deployment,
  environment: Environment,
  commit: Commit | null,
): Record<string, unknown> {
  return {
    object_kind: "deployment",
    status: row.status,
    status_changed_at: `${row.updatedAt.slice(0, 10)} ${row.updatedAt.slice(11, 19)} +0000`,
    deployment_id: row.id,
    deployable_id: null,
    deployable_url: null,
    environment: environment.name,
    environment_tier: environment.tier,
    environment_slug: environment.slug,
    environment_external_url: environment.externalUrl,
    project: projectPart(box, project),
    short_sha: row.sha.slice(0, 8),
    user: userPart(box, user),
    user_url: userUrl(box, user),
    commit_url: commitUrl(box, project, row.sha),
    commit_title: commit?.title ?? null,
    ref: row.ref,
  };
}
