import type { Project } from "../state.ts";
import type { Repositories } from "./repositories.ts";

/** Lines added and removed by a commit against its first parent. Binary files count nothing. */
export async function countLines(
  box: Repositories,
  project: Project,
  commit: string,
): Promise<{ readonly additions: number; readonly deletions: number; readonly total: number }> {
  const words = [
    "diff-tree",
    "-r",
    "-M",
    "-m",
    "--first-parent",
    "--root",
    "--no-commit-id",
    "--numstat",
    "-z",
    commit,
  ];
  const output = await box.git(project, words);
  let additions = 0;
  let deletions = 0;
  for (const [, added = "0", removed = "0"] of output.matchAll(/(?:^|\0)(\d+)\t(\d+)\t/g)) {
    additions += Number(added);
    deletions += Number(removed);
  }
  return { additions, deletions, total: additions + deletions };
}
