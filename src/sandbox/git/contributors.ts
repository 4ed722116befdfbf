import type { Project } from "../state.ts";
import type { Repositories } from "./repositories.ts";

/** Lines are not counted: GitLab tells zeros since 9.x. */
export interface Contributor {
  readonly name: string;
  readonly email: string;
  readonly commits: number;
  readonly additions: 0;
  readonly deletions: 0;
}

/** Who wrote the commits up to this one, by address; merges do not count. */
export async function listContributors(
  box: Repositories,
  project: Project,
  commit: string,
): Promise<Contributor[]> {
  const words = ["log", "-z", "--no-merges", "--max-count=6000", "--format=%ae%x01%an", commit, "--"];
  const lines = (await box.git(project, words)).split("\0").filter((line) => line !== "");
  const byEmail = Map.groupBy(lines, (line) => line.split("\u0001")[0] ?? "");
  return [...byEmail].map(([email, group]) => ({
    name: group[0]?.split("\u0001")[1] ?? "",
    email,
    commits: group.length,
    additions: 0,
    deletions: 0,
  }));
}
