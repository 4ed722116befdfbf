import type { StatusState } from "../gitlab/gitlab.ts";
import type { Tx } from "../store/store.ts";
import type { DeploymentState } from "./state.ts";
import type { Target } from "./target.ts";

/** What GitLab is told of a state; null: nothing new for GitLab. */
const REPORTS = {
  queued: { state: "pending", description: "Waiting to be deployed" },
  checking_out: { state: "running", description: "Deploying" },
  building: null,
  starting: null,
  verifying: null,
  switching: null,
  draining: null,
  live: { state: "success", description: "Live" },
  failed: { state: "failed", description: "The deployment failed; what was live before stays live" },
  cancelled: { state: "canceled", description: "Cancelled" },
  superseded: { state: "canceled", description: "Replaced by a newer commit" },
} as const satisfies Record<DeploymentState, { state: StatusState; description: string } | null>;

/** What the outbox keeps of a commit status until GitLab has it. */
export interface StatusPayload {
  readonly sha: string;
  readonly state: StatusState;
  readonly ref: string;
  readonly name: string;
  readonly targetUrl: string;
  readonly description: string;
}

/** Puts the commit status of a state into the outbox, in the transaction that changes the state. Sending it never delays a deployment. */
export async function reportState(
  tx: Tx,
  target: Target,
  deployment: { readonly commit_sha: string; readonly ref: string },
  state: DeploymentState,
  appUrl: (host: string) => string,
): Promise<void> {
  const report = REPORTS[state];
  if (!report) return;
  const payload: StatusPayload = {
    sha: deployment.commit_sha,
    ref: deployment.ref,
    name: `fairlead/${target.app}/${target.environment}`,
    targetUrl: appUrl(target.host),
    ...report,
  };
  await tx
    .insertInto("outbox")
    .values({
      connection_id: target.connectionId,
      project_id: target.projectId,
      kind: "commit_status",
      order_key: `${target.connectionId}/${target.projectId}/${deployment.commit_sha}`,
      payload: JSON.stringify(payload),
    })
    .execute();
}
