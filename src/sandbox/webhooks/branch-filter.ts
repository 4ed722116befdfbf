import type { Hook } from "../state.ts";

/** Whether a hook's branch filter lets this branch through. An empty filter lets everything through. */
export function filterAdmits(
  hook: Pick<Hook, "branchFilter" | "branchFilterStrategy">,
  branch: string,
): boolean {
  if (hook.branchFilterStrategy === "all_branches" || hook.branchFilter === "") return true;
  if (hook.branchFilterStrategy === "regex") {
    return parseFilterPattern(hook.branchFilter)?.test(branch) ?? false;
  }
  return wildcard(hook.branchFilter).test(branch);
}

/** `release/*`: a star stands for anything, slashes included. */
function wildcard(pattern: string): RegExp {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join(".*")}$`, "s");
}

/** null when the expression is not valid. */
export function parseFilterPattern(pattern: string): RegExp | null {
  try {
    return new RegExp(pattern, "u");
  } catch {
    return null;
  }
}
