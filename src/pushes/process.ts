import { sql } from "kysely";
import { toFault } from "../faults/fault.ts";
import { processProject, type ProcessDeps, type WaitingProject } from "./process-project.ts";
import { createWake } from "./wake.ts";

export interface PushProcessor {
  /** Processes deliveries until the signal aborts; resolves when what was under way has ended. */
  run(signal: AbortSignal): Promise<void>;
}

/** Projects at once. Each holds one database connection while it asks GitLab. */
const PROJECTS_AT_ONCE = 6;
/** Of one GitLab: one that hangs must not take every place. */
const PER_CONNECTION = 3;
/** Notifications may be lost; the database is looked at this often all the same. */
const SWEEP_MS = 1000;
/** Milliseconds before a project is tried again that another process holds, or whose turn broke. */
const HELD_PAUSE_MS = 300;
const BROKEN_PAUSE_MS = 2000;

interface Turn {
  readonly connectionId: string;
}

/** One project never waits for another's GitLab: turns run side by side, one at a time per project. */
export function createPushProcessor(deps: ProcessDeps): PushProcessor {
  return {
    async run(signal) {
      const wake = createWake();
      const turns = new Map<string, Turn>();
      const pauses = new Map<string, number>();
      const ended = new Set<Promise<void>>();
      const look = (): void => wake.wake();
      await using held = new AsyncDisposableStack();
      held.use(await deps.store.listen("delivery", look, look));

      const take = async (project: WaitingProject): Promise<void> => {
        const pause = await runTurn(deps, project, signal);
        if (pause > 0) pauses.set(project.id, performance.now() + pause);
        turns.delete(project.id);
        wake.wake();
      };

      while (!signal.aborted) {
        for (const project of await findWaiting(deps, turns, pauses)) {
          turns.set(project.id, { connectionId: project.connectionId });
          const turn = take(project).finally(() => ended.delete(turn));
          ended.add(turn);
        }
        await wake.wait(pauses.size > 0 ? HELD_PAUSE_MS : SWEEP_MS, signal);
      }
      await Promise.all(ended);
    },
  };
}

/** Returns the milliseconds to leave the project alone. Never throws: one project's trouble is not the others'. */
async function runTurn(deps: ProcessDeps, project: WaitingProject, signal: AbortSignal): Promise<number> {
  try {
    return (await processProject(deps, project, signal)) ? 0 : HELD_PAUSE_MS;
  } catch (error) {
    if (!signal.aborted) {
      deps.log.error(
        { project: project.id, error: toFault(error) },
        "A project's deliveries could not be processed",
      );
    }
    return BROKEN_PAUSE_MS;
  }
}

/** Projects with deliveries that are due, longest waiting first, that nobody here is at work on. */
async function findWaiting(
  deps: ProcessDeps,
  turns: ReadonlyMap<string, Turn>,
  pauses: Map<string, number>,
): Promise<readonly WaitingProject[]> {
  for (const [id, until] of pauses) if (until <= performance.now()) pauses.delete(id);
  const free = PROJECTS_AT_ONCE - turns.size;
  if (free <= 0) return [];
  try {
    const left = [...turns.keys(), ...pauses.keys()];
    const full = countBy([...turns.values()].map((turn) => turn.connectionId));
    const busy = [...full].filter(([, count]) => count >= PER_CONNECTION).map(([id]) => id);
    const rows = await sql<WaitingProject>`
      select linked_project.id, linked_project.connection_id as "connectionId", linked_project.project_id as "projectId"
      from delivery join linked_project on linked_project.id = delivery.linked_project_id
        join connection on connection.id = linked_project.connection_id
      where delivery.state = 'received' and delivery.not_before <= now() and connection.paused_at is null
        and linked_project.id <> all (${left}) and linked_project.connection_id <> all (${busy})
      group by linked_project.id
      order by min(delivery.received_at)
      limit ${PROJECTS_AT_ONCE * 4}`.execute(deps.store.db);
    return fitPlaces(rows.rows, full, free);
  } catch (error) {
    deps.log.error({ error: toFault(error) }, "Waiting deliveries could not be listed");
    return [];
  }
}

function fitPlaces(
  projects: readonly WaitingProject[],
  running: Map<string, number>,
  free: number,
): readonly WaitingProject[] {
  const chosen: WaitingProject[] = [];
  for (const project of projects) {
    const count = running.get(project.connectionId) ?? 0;
    if (chosen.length >= free || count >= PER_CONNECTION) continue;
    running.set(project.connectionId, count + 1);
    chosen.push(project);
  }
  return chosen;
}

function countBy(items: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}
