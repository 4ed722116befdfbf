import { matchesWildcard, parseExpression } from "../patterns.ts";
import type { Hook } from "../state.ts";

/** Whether a hook's branch filter lets this branch through. An empty filter lets everything through. */
export function filterAdmits(
  hook: Pick<Hook, "branchFilter" | "branchFilterStrategy">,
  branch: string,
): boolean {
  if (hook.branchFilterStrategy === "all_branches" || hook.branchFilter === "") return true;
  if (hook.branchFilterStrategy === "regex") return parseExpression(hook.branchFilter)?.(branch) ?? false;
  return matchesWildcard(hook.branchFilter, branch);
}
