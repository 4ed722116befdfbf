import { Fault } from "../faults/fault.ts";

/** What `git check-ref-format` refuses in a branch name, as far as it can be told without git. */
const FORBIDDEN = /[\p{Cc}\s~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)/u;

/** A branch without `refs/heads/`. Throws `BAD_REQUEST`: the name reaches git and GitLab's URLs. */
export function parseBranch(branch: string): string {
  const edges = /^[-/.]|[/.]$/;
  if (branch !== "" && branch.length <= 255 && !FORBIDDEN.test(branch) && !edges.test(branch)) return branch;
  throw Fault.of("BAD_REQUEST", "invalid", { message: "That is not a name git allows for a branch" });
}
