import type { Project } from "../state.ts";
import { readCommits, type Commit } from "./read.ts";
import type { Repositories } from "./repositories.ts";

export interface BlamedLines {
  readonly commit: Commit;
  readonly lines: readonly string[];
}

/** Who wrote which lines of a file, neighbours of one commit together. Lines count from 1; the range ends where the file does. */
export async function readBlame(
  box: Repositories,
  project: Project,
  commit: string,
  path: string,
  range: { readonly start: number; readonly end: number } | null,
): Promise<BlamedLines[]> {
  const words = [
    "blame",
    "--porcelain",
    ...(range ? ["-L", `${range.start},${range.end}`] : []),
    commit,
    "--",
    path,
  ];
  const groups: { id: string; lines: string[] }[] = [];
  let id = "";
  for (const line of (await box.git(project, words)).split("\n")) {
    const header = /^([0-9a-f]{40}) \d+ \d+/.exec(line)?.[1];
    if (header !== undefined) id = header;
    else if (line.startsWith("\t")) {
      const last = groups.at(-1);
      if (last?.id === id) last.lines.push(line.slice(1));
      else groups.push({ id, lines: [line.slice(1)] });
    }
  }
  if (groups.length === 0) return [];
  const shas = [...new Set(groups.map((group) => group.id))];
  const commits = await readCommits(box, project, ["--no-walk=unsorted", ...shas]);
  const byId = new Map(commits.map((commit) => [commit.id, commit]));
  return groups.flatMap((group) => {
    const commit = byId.get(group.id);
    return commit ? [{ commit, lines: group.lines }] : [];
  });
}
