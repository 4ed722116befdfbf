import type { Box } from "../box.ts";
import type { Project } from "../state.ts";

const NOTHING_STORED = {
  wiki_size: 0,
  lfs_objects_size: 0,
  job_artifacts_size: 0,
  pipeline_artifacts_size: 0,
  packages_size: 0,
  snippets_size: 0,
  uploads_size: 0,
  container_registry_size: 0,
};

/** GitLab's `ProjectStatistics`, counted when it is asked for. */
export async function statisticsOf(box: Box, project: Project): Promise<Record<string, unknown>> {
  const { commits, bytes } = project.emptyRepo ? { commits: 0, bytes: 0 } : await count(box, project);
  return { commit_count: commits, storage_size: bytes, repository_size: bytes, ...NOTHING_STORED };
}

async function count(box: Box, project: Project): Promise<{ commits: number; bytes: number }> {
  const { repositories } = box;
  const commits = await repositories.git(project, [
    "rev-list",
    "--count",
    `refs/heads/${project.defaultBranch}`,
  ]);
  const objects = await repositories.git(project, ["count-objects", "-v"]);
  const kilobytes = [...objects.matchAll(/^(?:size|size-pack): (\d+)$/gm)].map(([, size]) => Number(size));
  return { commits: Number(commits), bytes: 1024 * kilobytes.reduce((sum, size) => sum + size, 0) };
}
