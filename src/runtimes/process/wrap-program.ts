import { INIT_SCRIPT, PROGRAM_SCRIPT } from "./sandbox-scripts.ts";
import type { SandboxSpec, Tools } from "./sandbox-spec.ts";

/**
 * The words of the sandbox's first process and of the program: the same in every way. `drop` is what takes the rights away, run as
 * the last step before the program. `contained`: the end of the first process is the end of everything in the sandbox.
 */
export function firstProcess(
  tools: Tools,
  spec: SandboxSpec,
  contained: boolean,
  drop: readonly string[],
): readonly string[] {
  return [
    tools.sh,
    "-c",
    INIT_SCRIPT,
    "fairlead-init",
    contained ? "contained" : "loose",
    ...ownSession(tools),
    ...limits(tools, spec),
    ...drop,
    tools.sh,
    "-c",
    PROGRAM_SCRIPT,
    "fairlead-program",
    spec.directory,
    ...spec.argv,
  ];
}

/** The program leads a group of its own, so that SIGTERM reaches all of it and nothing else. */
function ownSession(tools: Tools): readonly string[] {
  return tools.setsid === null ? [] : [tools.setsid];
}

/** Never the address space (`--as`): 512 MB of it crash Node at its start. */
function limits(tools: Tools, spec: SandboxSpec): readonly string[] {
  if (tools.prlimit === null) return [];
  const tasks = spec.limits.tasks === null ? [] : [`--nproc=${spec.limits.tasks}`];
  return [tools.prlimit, "--core=0", `--nofile=${spec.limits.files}`, ...tasks, "--"];
}

/** From root to the sandbox's user, without a way back. */
export function becomeUser(tools: Tools, spec: SandboxSpec): readonly string[] {
  if (tools.setpriv === null) return [];
  return [
    tools.setpriv,
    `--reuid=${spec.user.uid}`,
    `--regid=${spec.user.gid}`,
    "--clear-groups",
    "--no-new-privs",
    "--inh-caps=-all",
    "--bounding-set=-all",
    "--",
  ];
}
