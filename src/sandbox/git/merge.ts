import { RunError } from "../../kernel/run.ts";
import type { Project } from "../state.ts";
import type { Repositories } from "./repositories.ts";

/** The tree of a merge of `theirs` into `ours`, without touching anything; null when they conflict or share no history. */
export async function mergedTree(
  box: Repositories,
  project: Project,
  ours: string,
  theirs: string,
): Promise<string | null> {
  return orNull(box.git(project, ["merge-tree", "--write-tree", "--no-messages", ours, theirs]));
}

export interface MergeCommit {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly authorName: string;
  readonly authorEmail: string;
}

/** Writes a commit that no branch points at yet, and gives its id. */
export async function writeMergeCommit(
  box: Repositories,
  project: Project,
  commit: MergeCommit,
): Promise<string> {
  const words = [
    "-c",
    `user.name=${plain(commit.authorName)}`,
    "-c",
    `user.email=${plain(commit.authorEmail)}`,
    "commit-tree",
    commit.tree,
    ...commit.parents.flatMap((parent) => ["-p", parent]),
  ];
  return (await box.git(project, words, commit.message)).trim();
}

export async function isAncestor(
  box: Repositories,
  project: Project,
  older: string,
  newer: string,
): Promise<boolean> {
  return (await orNull(box.git(project, ["merge-base", "--is-ancestor", older, newer]))) !== null;
}

/** Names and addresses of people may not break the line of a commit; git refuses empty ones. */
function plain(text: string): string {
  return text.replaceAll(/[<>\n\0]/g, "").trim() || "unknown";
}

/** null where git itself said no; other failures stay failures. */
async function orNull(output: Promise<string>): Promise<string | null> {
  try {
    return (await output).trim();
  } catch (error) {
    if (error instanceof RunError && error.failure === "exit") return null;
    throw error;
  }
}
