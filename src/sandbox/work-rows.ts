/** Rows of what people and machines do with a project: merge requests, notes, environments, deployments. */

export interface MergeRequest {
  readonly id: number;
  /** Counts up within the project; what people call it by. */
  readonly iid: number;
  readonly projectId: number;
  readonly sourceBranch: string;
  readonly authorId: number;
  readonly createdAt: string;
  targetBranch: string;
  title: string;
  description: string | null;
  state: "opened" | "closed" | "merged";
  assigneeIds: readonly number[];
  reviewerIds: readonly number[];
  labels: readonly string[];
  squash: boolean;
  /** Wanted by its author: the source branch goes when it is merged. */
  removeSourceBranch: boolean | null;
  discussionLocked: boolean | null;
  updatedAt: string;
  updatedById: number | null;
  lastEditedAt: string | null;
  /** Head of the source branch; stays when the branch goes. null: the branch never was there. */
  sha: string | null;
  /** Where source and target parted, and the target's head, when the source was last pushed: what the changes are told against. */
  baseSha: string | null;
  startSha: string | null;
  /** Of which two heads it was last asked whether they merge, and what git said. */
  checked: { readonly source: string; readonly target: string; readonly fits: boolean } | null;
  mergedAt: string | null;
  mergedById: number | null;
  closedAt: string | null;
  closedById: number | null;
  mergeCommitSha: string | null;
  squashCommitSha: string | null;
}

export interface Note {
  readonly id: number;
  readonly projectId: number;
  readonly mergeRequestId: number;
  readonly authorId: number;
  readonly createdAt: string;
  body: string;
  updatedAt: string;
  updatedById: number | null;
}

export const TIERS = ["production", "staging", "testing", "development", "other"] as const;
export type Tier = (typeof TIERS)[number];

export interface Environment {
  readonly id: number;
  readonly projectId: number;
  readonly name: string;
  readonly slug: string;
  readonly createdAt: string;
  externalUrl: string | null;
  description: string | null;
  tier: Tier;
  state: "available" | "stopping" | "stopped";
  autoStopSetting: "always" | "with_action";
  updatedAt: string;
}

export const DEPLOYMENT_STATUSES = ["running", "success", "failed", "canceled"] as const;
export type DeploymentStatus = (typeof DEPLOYMENT_STATUSES)[number];

export interface Deployment {
  readonly id: number;
  readonly iid: number;
  readonly projectId: number;
  readonly environmentId: number;
  readonly sha: string;
  readonly ref: string;
  readonly tag: boolean;
  readonly userId: number;
  readonly createdAt: string;
  /** `created` only until the status that it was made with. */
  status: DeploymentStatus | "created";
  updatedAt: string;
  finishedAt: string | null;
}
