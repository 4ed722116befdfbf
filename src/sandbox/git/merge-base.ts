import { RunError } from "../../kernel/run.ts";
import type { Project } from "../state.ts";
import type { Repositories } from "./repositories.ts";

/** The commit where histories parted; null when they share none. */
export async function findMergeBase(
  box: Repositories,
  project: Project,
  commits: readonly string[],
): Promise<string | null> {
  try {
    return (await box.git(project, ["merge-base", ...commits])).trim();
  } catch (error) {
    if (error instanceof RunError && error.exitCode === 1) return null;
    throw error;
  }
}
