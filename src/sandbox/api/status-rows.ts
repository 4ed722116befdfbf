import type { Box } from "../box.ts";
import type { CommitStatus, Project, State, StatusState } from "../state.ts";
import { webUrl } from "../urls.ts";

const FINISHED: ReadonlySet<StatusState> = new Set<StatusState>(["success", "failed", "canceled", "skipped"]);

export function isFinished(state: StatusState): boolean {
  return FINISHED.has(state);
}

export function statusesOf(state: State, project: Project, sha: string): CommitStatus[] {
  return [...state.statuses.values()].filter(
    (status) => status.projectId === project.id && status.sha === sha,
  );
}

/** The state of the whole commit by GitLab's composite rule: the worst of what is done, unless something is still going on. */
export function latestState(state: State, project: Project, sha: string): string | null {
  const states = new Set(
    statusesOf(state, project, sha)
      .filter((status) => !status.retried)
      .map((status) => status.state),
  );
  if (states.size === 0) return null;
  const [only] = states;
  if (states.size === 1 && only) return only;
  if (states.has("running") || states.has("pending")) return "running";
  return (["failed", "canceled", "success"] as const).find((name) => states.has(name)) ?? "skipped";
}

/** Why GitLab's state machine does not take this step; null when it does. Finished statuses are not changed: a new one is made. */
export function refusedTransition(from: StatusState, to: StatusState): string | null {
  const event = to === "pending" ? "enqueue" : "run";
  const stuck =
    (to === "pending" && (from === "pending" || from === "running")) ||
    (to === "running" && from === "running");
  if (!stuck) return null;
  return `Cannot transition status via :${event} from :${from} (Reason(s): Status cannot transition via "${event}")`;
}

/** The newest external pipeline of a commit, made by its statuses; null without any. */
export function lastPipeline(box: Box, project: Project, sha: string): Record<string, unknown> | null {
  const newest = statusesOf(box.state, project, sha)
    .toSorted((a, b) => b.pipelineId - a.pipelineId)
    .at(0);
  if (!newest) return null;
  const id = newest.pipelineId;
  return {
    id,
    iid: id,
    project_id: project.id,
    sha,
    ref: newest.ref,
    status: latestState(box.state, project, sha),
    source: "external",
    created_at: newest.createdAt,
    updated_at: newest.finishedAt ?? newest.startedAt ?? newest.createdAt,
    web_url: `${webUrl(box, project)}/-/pipelines/${id}`,
  };
}
