import type { Project } from "../state.ts";
import { readCommits, readRefs, type Commit } from "./read.ts";
import type { Repositories } from "./repositories.ts";

export interface Branch {
  readonly name: string;
  readonly commit: Commit;
  /** All its commits are on the default branch. */
  readonly merged: boolean;
}

const PREFIX = "refs/heads/";

/** All branches by name, with three processes however many there are. */
export async function readBranches(box: Repositories, project: Project): Promise<Branch[]> {
  const refs = [...(await readRefs(box, project))].filter(([ref]) => ref.startsWith(PREFIX));
  if (refs.length === 0) return [];
  const shas = [...new Set(refs.map(([, sha]) => sha))];
  const commits = await readCommits(box, project, ["--no-walk=unsorted", ...shas]);
  const byId = new Map(commits.map((commit) => [commit.id, commit]));
  const merged = await mergedBranches(box, project);
  return refs.flatMap(([ref, sha]) => {
    const commit = byId.get(sha);
    const name = ref.slice(PREFIX.length);
    return commit ? [{ name, commit, merged: merged.has(ref) }] : [];
  });
}

export async function findBranch(box: Repositories, project: Project, name: string): Promise<Branch | null> {
  const ref = PREFIX + name;
  if (!(await readRefs(box, project)).has(ref)) return null;
  const [commit] = await readCommits(box, project, ["--max-count=1", ref]);
  if (!commit) return null;
  return { name, commit, merged: (await mergedBranches(box, project)).has(ref) };
}

async function mergedBranches(box: Repositories, project: Project): Promise<Set<string>> {
  const home = PREFIX + project.defaultBranch;
  const refs = await readRefs(box, project);
  if (!refs.has(home)) return new Set();
  const words = ["for-each-ref", `--merged=${home}`, "--format=%(refname)", PREFIX];
  return new Set((await box.git(project, words)).split("\n"));
}
