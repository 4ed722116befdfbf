import { sql } from "kysely";
import { toFault } from "../faults/fault.ts";
import { deadline, sleep } from "../kernel/clock.ts";
import type { AppsDeps } from "./deps.ts";
import type { HookedProject, HookLook } from "./look-at-hook.ts";

export interface HookIntervals {
  /** Milliseconds between looks at one webhook. */
  readonly everyMs: number;
  /** Milliseconds until another look after one that failed or was of a suspected webhook. */
  readonly againMs: number;
  /** Milliseconds between two looks: a look at a sound webhook is one request. */
  readonly gapMs: number;
  /** Milliseconds between looks at the list of projects. */
  readonly tickMs: number;
}

const DEFAULTS: HookIntervals = { everyMs: 3_600_000, againMs: 300_000, gapMs: 1000, tickMs: 5000 };
const LOOK_MS = 45_000;
/** Looks before the list is read again, so that a new suspicion need not wait for the end of a thousand. */
const AT_ONCE = 20;

interface WatchedProject extends HookedProject {
  readonly paused: boolean;
  readonly suspected: boolean;
}

interface Turn {
  readonly dueAt: number;
  /** null: not by this process yet. */
  readonly lookedAt: number | null;
}

type Turns = Map<string, Turn>;

/**
 * Looks at every webhook at the start, then hourly, at a suspected one before its turn, one after another. Those of a paused connection are left alone
 * until it is sound again.
 */
export async function watchHooks(
  deps: AppsDeps,
  look: HookLook,
  stopping: AbortSignal,
  given: Partial<HookIntervals> = {},
): Promise<void> {
  const intervals = { ...DEFAULTS, ...given };
  const turns: Turns = new Map();
  let first = true;
  while (!stopping.aborted) {
    const projects = await listWatched(deps);
    if (projects) {
      giveTurns(turns, projects, first, intervals);
      first = false;
      for (const project of pickDue(turns, projects, intervals)) {
        if (stopping.aborted) return;
        const { waits, ...turn } = await takeTurn(
          deps,
          look,
          project,
          turns.get(project.id),
          intervals,
          stopping,
        );
        turns.set(project.id, turn);
        await sleep(intervals.gapMs, stopping).catch(() => {}); // the loops' conditions end them
        if (waits) break; // its connection is paused from now on, and so are its other projects
      }
    }
    await sleep(intervals.tickMs, stopping).catch(() => {});
  }
}

async function listWatched({ store, log }: AppsDeps): Promise<readonly WatchedProject[] | null> {
  try {
    const { rows } = await sql<WatchedProject>`
      select p.id, p.connection_id as "connectionId", p.project_id as "projectId", c.paused_at is not null as paused,
        p.hook_suspect_at is not null or (p.bad_secret_count > 0 and p.hook_state = 'active') as suspected
      from linked_project p join connection c on c.id = p.connection_id
      order by p.id`.execute(store.db);
    return rows;
  } catch (error) {
    log.error({ error: toFault(error) }, "Webhooks to look at could not be listed");
    return null;
  }
}

/** At the start all are due; one that is linked later was just made, and its first turn comes some time within the interval. */
function giveTurns(
  turns: Turns,
  projects: readonly WatchedProject[],
  first: boolean,
  { everyMs }: HookIntervals,
): void {
  const known = new Set(projects.map(({ id }) => id));
  for (const id of turns.keys()) if (!known.has(id)) turns.delete(id);
  const now = performance.now();
  for (const { id } of projects) {
    if (!turns.has(id)) turns.set(id, { dueAt: first ? now : now + Math.random() * everyMs, lookedAt: null });
  }
}

/** Suspected ones first. */
function pickDue(
  turns: Turns,
  projects: readonly WatchedProject[],
  { againMs }: HookIntervals,
): readonly WatchedProject[] {
  const now = performance.now();
  const due = projects.filter(({ id, paused, suspected }) => {
    const { dueAt = Infinity, lookedAt = null } = turns.get(id) ?? {};
    if (paused) return false;
    return dueAt <= now || (suspected && (lookedAt === null || lookedAt + againMs <= now));
  });
  return due.toSorted((one, other) => Number(other.suspected) - Number(one.suspected)).slice(0, AT_ONCE);
}

/** After its first look a webhook gets a place in the interval by lot, so that those that were due together are not for ever. */
async function takeTurn(
  deps: AppsDeps,
  look: HookLook,
  project: WatchedProject,
  turn: Turn | undefined,
  { everyMs, againMs, tickMs }: HookIntervals,
  stopping: AbortSignal,
): Promise<Turn & { readonly waits: boolean }> {
  const lookedAt = turn?.lookedAt ?? null;
  try {
    const looked = await look(project, deadline(LOOK_MS, stopping));
    const now = performance.now();
    if (!looked) return { dueAt: now + tickMs, lookedAt, waits: false };
    return { dueAt: now + (lookedAt === null ? Math.random() : 1) * everyMs, lookedAt: now, waits: false };
  } catch (error) {
    const now = performance.now();
    const waits = !stopping.aborted && (await noteTrouble(deps, project, error));
    return { dueAt: now + againMs, lookedAt: now, waits };
  }
}

/** Whether its connection waits for a person from now on. */
async function noteTrouble(deps: AppsDeps, project: WatchedProject, error: unknown): Promise<boolean> {
  const fault = toFault(error);
  deps.log.warn({ project: project.id, error: fault }, "A webhook could not be looked at");
  return deps.connections.suspect(project.connectionId, fault).catch(() => false); // the database: told by whoever looks next
}
