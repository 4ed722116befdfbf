import type { Connections } from "../connections/connections.ts";
import { toFault, type Fault } from "../faults/fault.ts";
import type { Branch, GitLab } from "../gitlab/gitlab.ts";
import { deadline } from "../kernel/clock.ts";

const CALL_MS = 10_000;

export type Heads = (branch: string) => Promise<Branch | null>;

/**
 * Reads each branch head at most once in a turn: every delivery of the turn came before the read. A fault is remembered for all branches: a dead token
 * must not be tried a hundred times, GitLab bans for that.
 */
export function createHeads(
  connections: Connections,
  project: { readonly connectionId: string; readonly projectId: number },
  signal: AbortSignal,
): Heads {
  const known = new Map<string, Branch | null>();
  let gitlab: GitLab | null = null;
  let fault: Fault | null = null;
  return async (branch) => {
    const cached = known.get(branch);
    if (cached !== undefined) return cached;
    if (fault) throw fault;
    try {
      gitlab ??= (await connections.open(project.connectionId)).gitlab;
      const head = await gitlab.findBranch(project.projectId, branch, { signal: deadline(CALL_MS, signal) });
      known.set(branch, head);
      return head;
    } catch (error) {
      fault = toFault(error);
      throw fault;
    }
  };
}
