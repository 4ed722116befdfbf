import type { Box } from "../box.ts";
import type { Commit } from "../git/read.ts";
import { countLines } from "../git/stats.ts";
import type { Project } from "../state.ts";
import { commitEntity } from "./entities.ts";
import { lastPipeline, latestState } from "./status-rows.ts";

/** GitLab's `CommitDetail`. */
export async function commitDetail(
  box: Box,
  project: Project,
  commit: Commit,
  stats: boolean,
): Promise<Record<string, unknown>> {
  return {
    ...commitEntity(box, project, commit),
    ...(stats ? { stats: await countLines(box.repositories, project, commit.id) } : {}),
    status: latestState(box.state, project, commit.id),
    project_id: project.id,
    last_pipeline: lastPipeline(box, project, commit.id),
  };
}
