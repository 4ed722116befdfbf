import type { Box } from "./box.ts";
import { findCommit } from "./git/read.ts";
import type { Project, User } from "./state.ts";
import { deploymentPayload } from "./webhooks/deployment-payload.ts";
import type { Deployment, DeploymentStatus } from "./work-rows.ts";

/** GitLab's events by the status they lead to, and from where they do not (§11.2). */
const EVENTS = {
  running: { event: "run", not: ["running", "success", "failed", "canceled"] },
  success: { event: "succeed", not: ["success"] },
  failed: { event: "drop", not: ["failed"] },
  canceled: { event: "cancel", not: ["canceled"] },
} as const;

/** Changes a status and tells the hooks; or gives GitLab's words why this step does not exist. */
export async function setDeploymentStatus(
  box: Box,
  project: Project,
  user: User,
  row: Deployment,
  status: DeploymentStatus,
): Promise<string | null> {
  const { event, not } = EVENTS[status];
  if (not.some((from) => from === row.status)) return `cannot transition via "${event}"`;
  const { state } = box;
  const now = state.now();
  row.status = status;
  row.updatedAt = now;
  row.finishedAt = status === "running" ? null : now;
  const environment = state.environments.get(row.environmentId);
  if (environment && status === "success") environment.state = "available";
  const hooks = [...state.hooks.values()].filter(
    (hook) => hook.projectId === project.id && hook.events.has("deployment_events"),
  );
  if (hooks.length === 0 || !environment) return null;
  const commit = await findCommit(box.repositories, project, row.sha);
  const payload = deploymentPayload(box, project, user, row, environment, commit);
  for (const hook of hooks) box.webhooks.send(hook, "deployment_hooks", payload);
  return null;
}
