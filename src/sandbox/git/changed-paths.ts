import type { Project } from "../state.ts";
import type { Repositories } from "./repositories.ts";

export interface ChangedPaths {
  readonly added: readonly string[];
  readonly modified: readonly string[];
  readonly removed: readonly string[];
}

/** What each commit changed against its first parent, for all commits with one process. A rename is a removal and an addition. */
export async function readChangedPaths(
  box: Repositories,
  project: Project,
  commits: readonly string[],
): Promise<Map<string, ChangedPaths>> {
  const found = new Map<string, ChangedPaths>();
  if (commits.length === 0) return found;
  const words = [
    "diff-tree",
    "--stdin",
    "-z",
    "-r",
    "-m",
    "--first-parent",
    "--root",
    "--no-renames",
    "--name-status",
  ];
  const fields = (await box.git(project, words, commits.map((id) => `${id}\n`).join(""))).split("\0");
  let lists: Record<"added" | "modified" | "removed", string[]> = { added: [], modified: [], removed: [] };
  for (let at = 0; at < fields.length;) {
    const field = fields[at++] ?? "";
    if (/^[0-9a-f]{40,64}$/.test(field)) {
      lists = { added: [], modified: [], removed: [] };
      found.set(field, lists);
    } else if (field !== "") {
      const list = field === "A" ? lists.added : field === "D" ? lists.removed : lists.modified;
      list.push(fields[at++] ?? "");
    }
  }
  return found;
}
