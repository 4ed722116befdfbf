import type { Project } from "../state.ts";
import type { Repositories } from "./repositories.ts";

export interface ContainingRef {
  readonly type: "branch" | "tag";
  readonly name: string;
}

/** Branches, then tags, that a commit is in. */
export async function containingRefs(
  box: Repositories,
  project: Project,
  commit: string,
): Promise<ContainingRef[]> {
  const words = ["for-each-ref", `--contains=${commit}`, "--format=%(refname)", "refs/heads", "refs/tags"];
  const refs = (await box.git(project, words)).split("\n").filter((line) => line !== "");
  return refs.map((ref) =>
    ref.startsWith("refs/heads/")
      ? { type: "branch", name: ref.slice("refs/heads/".length) }
      : { type: "tag", name: ref.slice("refs/tags/".length) },
  );
}
