import type { Project } from "../state.ts";
import type { Repositories } from "./repositories.ts";

export const ZEROS = "0".repeat(40);

export interface RefChange {
  readonly ref: string;
  /** Zeros for a new ref. */
  readonly before: string;
  /** Zeros for a deleted ref. */
  readonly after: string;
}

/** What a push did, told by the refs before and after it. */
export function refChanges(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): RefChange[] {
  const changes: RefChange[] = [];
  for (const ref of new Set([...before.keys(), ...after.keys()])) {
    const old = before.get(ref) ?? ZEROS;
    const now = after.get(ref) ?? ZEROS;
    if (old !== now) changes.push({ ref, before: old, after: now });
  }
  return changes;
}

/**
 * Keeps a project's default branch pointing at a branch that exists, by Gitaly's order: the only branch, `main`, `master`, the
 * first. The first branch pushed to an empty project so becomes its default.
 */
export async function settleDefaultBranch(
  repositories: Repositories,
  project: Project,
  refs: ReadonlyMap<string, string>,
): Promise<void> {
  const branches = [...refs.keys()]
    .filter((ref) => ref.startsWith("refs/heads/"))
    .map((ref) => ref.slice("refs/heads/".length));
  project.emptyRepo = branches.length === 0;
  if (project.emptyRepo || branches.includes(project.defaultBranch)) return;
  const chosen = ["main", "master"].find((name) => branches.includes(name)) ?? branches.toSorted()[0];
  if (chosen === undefined) return;
  const guard = project.protectedBranches.get(project.defaultBranch);
  if (guard) {
    project.protectedBranches.delete(project.defaultBranch);
    project.protectedBranches.set(chosen, guard);
  }
  project.defaultBranch = chosen;
  await repositories.git(project, ["symbolic-ref", "HEAD", `refs/heads/${chosen}`]);
}
