import { LEVEL, levelIn } from "../access.ts";
import type { Project, Protection, State, User } from "../state.ts";

export const DELETE_DEFAULT = "The default branch of a project cannot be deleted.";
export const BARRED = "Branch name conflicts with existing branch hierarchy.";
export const DELETE_PROTECTED =
  "You are not allowed to delete protected branches from this project. Only a project maintainer or owner can delete a protected branch.";

/**
 * The rules about branches that GitLab checks before it accepts a push, as git's own pre-receive hook: only there are the new
 * objects at hand to tell a force push. The rules of this user come through the environment; ref names hold no blanks.
 */
export const REF_RULES_HOOK = `#!/bin/sh
zero=0000000000000000000000000000000000000000
refused=0
say() {
  echo "GitLab: $1"
  refused=1
}
set -f
within() {
  for pattern in $2; do
    case "$1" in $pattern) return 0 ;; esac
  done
  return 1
}
count=0
while [ "$count" -lt "\${GIT_PUSH_OPTION_COUNT:-0}" ]; do
  printenv "GIT_PUSH_OPTION_$count" >> "$SANDBOX_PUSH_OPTIONS"
  count=$((count + 1))
done
while read -r old new ref; do
  case "$ref" in
    refs/tags/*) continue ;;
    refs/heads/*) ;;
    *) say "You cannot push to $ref" ; continue ;;
  esac
  name="\${ref#refs/heads/}"
  if [ "$new" = "$zero" ]; then
    if [ "$ref" = "$SANDBOX_DEFAULT_REF" ]; then
      say "${DELETE_DEFAULT}"
    elif within "$ref" "$SANDBOX_PROTECTED_REFS"; then
      if [ -n "$SANDBOX_MAINTAINS" ]; then
        say "You can only delete protected branches using the web interface."
      else
        say "${DELETE_PROTECTED}"
      fi
    fi
    continue
  fi
  if [ "\${#name}" -eq 40 ] && [ -z "$(printf %s "$name" | tr -d 0-9a-fA-F)" ]; then
    say "You cannot create a branch with a 40-character hexadecimal branch name."
    continue
  fi
  if within "$ref" "$SANDBOX_CLOSED_REFS" && ! within "$ref" "$SANDBOX_OPEN_REFS"; then
    if [ "$old" = "$zero" ]; then
      say "You are not allowed to create protected branches on this project."
    else
      say "You are not allowed to push code to protected branches on this project."
    fi
  elif [ "$old" != "$zero" ] && within "$ref" "$SANDBOX_NO_FORCE_REFS" &&
    ! git merge-base --is-ancestor "$old" "$new"; then
    say "You are not allowed to force push code to a protected branch on this project."
  fi
done
exit $refused
`;

/** What GitLab has to say after a push comes from its own post-receive hook, an empty line before and two after. */
export const MESSAGE_HOOK = `#!/bin/sh
if [ -n "$SANDBOX_MESSAGE" ]; then
  printf '\\n%s\\n\\n' "$SANDBOX_MESSAGE"
fi
exit 0
`;

/** What the hook must know about this user and project. The `*` of a rule is one of the shell's patterns, too. */
export function refRules(state: State, user: User, project: Project): Record<string, string> {
  const rules = [...project.protectedBranches];
  const level = levelIn(state, user, project);
  const refs = (wanted: (protection: Protection) => boolean): string =>
    rules
      .filter(([, protection]) => wanted(protection))
      .map(([name]) => `refs/heads/${name}`)
      .join(" ");
  const open = ({ pushLevel }: Protection): boolean => pushLevel > 0 && level >= pushLevel;
  return {
    SANDBOX_DEFAULT_REF: project.emptyRepo ? "" : `refs/heads/${project.defaultBranch}`,
    SANDBOX_MAINTAINS: level >= LEVEL.maintainer ? "yes" : "",
    SANDBOX_PROTECTED_REFS: refs(() => true),
    SANDBOX_OPEN_REFS: refs(open),
    SANDBOX_CLOSED_REFS: refs((protection) => !open(protection)),
    SANDBOX_NO_FORCE_REFS: refs(({ allowForcePush }) => !allowForcePush),
  };
}
