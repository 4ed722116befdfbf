import { MIRROR_LOCK_FD, WORKSPACE_LOCK_FD } from "./holders.ts";

/** What a git command needs for itself while it runs. */
export interface Guard {
  readonly work: "deploy" | "fill";
  readonly workspace?: {
    readonly lockFile: string;
    readonly claimFile: string;
    readonly successor: string;
    readonly index: string;
  };
  readonly mirror?: { readonly lockFile: string; readonly folder: string };
}

export const GUARD_EXITS = { unusable: 201, workspaceBusy: 202, superseded: 203, mirrorBusy: 204 } as const;

/**
 * Takes the locks, looks whether the workspace has been taken by another, removes what killed gits left behind (nobody who could be
 * writing it lives, since each of them would hold the lock), and becomes git. The kernel frees the locks when git and all its children
 * are dead. That is the only order without a gap: a worker that was stopped between its check and its start must find out.
 */
const SCRIPT = `
workspace=$1 claim=$2 successor=$3 index=$4 mirror=$5 folder=$6 lock=$7; shift 7
if [ -n "$workspace" ]; then
  exec ${WORKSPACE_LOCK_FD}>>"$workspace" || exit ${GUARD_EXITS.unusable}
  "$lock" -n ${WORKSPACE_LOCK_FD} || exit ${GUARD_EXITS.workspaceBusy}
  [ -e "$claim" ] && [ ! -e "$successor" ] || exit ${GUARD_EXITS.superseded}
  rm -f -- "$index.lock"
fi
if [ -n "$mirror" ]; then
  exec ${MIRROR_LOCK_FD}>>"$mirror" || exit ${GUARD_EXITS.unusable}
  "$lock" -n ${MIRROR_LOCK_FD} || exit ${GUARD_EXITS.mirrorBusy}
  cd -- "$folder" || exit ${GUARD_EXITS.unusable}
  rm -rf -- *.lock gc.pid refs/fairlead/*.lock objects/*.lock objects/info/*.lock objects/info/commit-graphs/*.lock \\
    objects/pack/*.lock objects/pack/tmp_* objects/pack/.tmp-* objects/tmp_objdir-* objects/incoming-* objects/??/tmp_obj_*
fi
exec "$@"
`;

/** The words that run `command` under the guard. `flock` false: without the kernel's locks, where util-linux is missing. */
export function guardedWords(guard: Guard, command: readonly string[], flock: boolean): string[] {
  const { workspace, mirror } = guard;
  if (!workspace && !mirror) return [...command];
  const files = [
    workspace?.lockFile,
    workspace?.claimFile,
    workspace?.successor,
    workspace?.index,
    mirror?.lockFile,
    mirror?.folder,
  ];
  return ["sh", "-c", SCRIPT, "sh", ...files.map((file) => file ?? ""), flock ? "flock" : ":", ...command];
}
