import { sql } from "kysely";
import { projectKey, tryProjectLock } from "../apps/project-lock.ts";
import { toFault } from "../faults/fault.ts";
import type { GitLab } from "../gitlab/gitlab.ts";
import { deadline, sleep, type Clock } from "../kernel/clock.ts";
import { newId } from "../kernel/ids.ts";
import type { Db, Tx } from "../store/store.ts";
import { enqueueOutcomes, listCandidates, lockCandidates, matchHead, type HeadSeen } from "./decide.ts";
import type { ProcessDeps, WaitingProject } from "./process-project.ts";

export interface PollingIntervals {
  /** Milliseconds between looks at a project that GitLab does not call us for. */
  readonly withoutHookMs: number;
  /** Milliseconds between looks at a project with a webhook: GitLab never repeats a missed call. */
  readonly withHookMs: number;
  /** Milliseconds between looks at the list of projects. */
  readonly tickMs: number;
}

export interface PollingDeps extends ProcessDeps {
  readonly clock: Clock;
  readonly intervals?: Partial<PollingIntervals>;
}

export interface Polling {
  /** Looks at every project at once, then at each in its interval, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

interface PolledProject extends WaitingProject {
  readonly hookState: string;
}

const DEFAULTS: PollingIntervals = { withoutHookMs: 60_000, withHookMs: 600_000, tickMs: 5000 };
/** Projects at once: polling is the safety net, not the load. */
const AT_ONCE = 2;
const TURN_MS = 30_000;
const CALL_MS = 10_000;

/** Compares branch heads with what the environments were told, and queues what no webhook told us. */
export function createPolling(deps: PollingDeps): Polling {
  const intervals = { ...DEFAULTS, ...deps.intervals };
  return {
    async run(signal) {
      const looked = new Map<string, number>();
      let first = true;
      while (!signal.aborted) {
        const due = await findDue(deps, intervals, looked, first);
        first = false;
        const queue = due.values();
        const lane = async (): Promise<void> => {
          for (const project of queue) {
            if (signal.aborted) return;
            await lookSafely(deps, project, signal);
          }
        };
        await Promise.all(Array.from({ length: AT_ONCE }, lane));
        await sleep(intervals.tickMs, signal).catch(() => {}); // the loop's condition ends it
      }
    },
  };
}

/** At the start all are due; one that is linked later is looked at after its first interval: its link has read the branch. */
async function findDue(
  deps: PollingDeps,
  intervals: PollingIntervals,
  looked: Map<string, number>,
  first: boolean,
): Promise<readonly PolledProject[]> {
  const now = deps.clock.now();
  try {
    const projects = await listProjects(deps.store.db);
    const known = new Set(projects.map((project) => project.id));
    for (const id of looked.keys()) if (!known.has(id)) looked.delete(id);
    return projects.filter((project) => {
      const last = looked.get(project.id) ?? (first ? -Infinity : now);
      const every = project.hookState === "active" ? intervals.withHookMs : intervals.withoutHookMs;
      const due = now - last >= every;
      looked.set(project.id, due ? now : last);
      return due;
    });
  } catch (error) {
    deps.log.error({ error: toFault(error) }, "Projects to look at could not be listed");
    return [];
  }
}

function listProjects(db: Db): Promise<readonly PolledProject[]> {
  return db
    .selectFrom("linked_project as p")
    .innerJoin("connection as c", "c.id", "p.connection_id")
    .select([
      "p.id",
      "p.connection_id as connectionId",
      "p.project_id as projectId",
      "p.hook_state as hookState",
    ])
    .where("c.paused_at", "is", null)
    .orderBy("p.id")
    .execute();
}

async function lookSafely(deps: PollingDeps, project: PolledProject, signal: AbortSignal): Promise<void> {
  try {
    await lookAtProject(deps, project, deadline(TURN_MS, signal));
  } catch (error) {
    if (signal.aborted) return;
    await deps.connections.suspect(project.connectionId, toFault(error)).catch(() => {}); // the database: told by whoever looks next
    deps.log.warn(
      { project: project.id, error: toFault(error) },
      "A project's branches could not be looked at",
    );
  }
}

/**
 * Reads the head of every branch that an environment follows and queues what is new, as a push would. A project that is being
 * linked, unlinked or processed at this moment is left to that, and one with waiting deliveries to those: they name the push.
 */
export async function lookAtProject(
  deps: ProcessDeps,
  project: WaitingProject,
  signal: AbortSignal,
): Promise<void> {
  const { gitlab } = await deps.connections.open(project.connectionId);
  const key = projectKey(project.connectionId, project.projectId);
  await tryProjectLock(deps.store, key, async (db) => {
    if (await hasWaiting(db, project.id)) return;
    const candidates = await listCandidates(db, project.id);
    for (const branch of new Set(candidates.map((candidate) => candidate.branch))) {
      const seen = await readHead(gitlab, project, branch, signal);
      if (matchHead(candidates, seen).some((outcome) => outcome.deploys))
        await enqueueFound(deps, db, project, seen);
    }
  });
}

async function hasWaiting(db: Db, linkedProjectId: string): Promise<boolean> {
  const waiting = await db
    .selectFrom("delivery")
    .select("id")
    .where("linked_project_id", "=", linkedProjectId)
    .where("state", "=", "received")
    .limit(1)
    .executeTakeFirst();
  return waiting !== undefined;
}

async function readHead(
  gitlab: GitLab,
  project: WaitingProject,
  branch: string,
  signal: AbortSignal,
): Promise<HeadSeen> {
  const head = await gitlab.findBranch(project.projectId, branch, { signal: deadline(CALL_MS, signal) });
  return { linkedProjectId: project.id, branch, head, skipRequested: false };
}

/** The delivery that should have come is written in its place, so that people find the deployment's reason where they look for it. */
async function enqueueFound(
  deps: ProcessDeps,
  db: Db,
  project: WaitingProject,
  seen: HeadSeen,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const outcomes = matchHead(await lockCandidates(tx, project.id), seen).filter(
      (outcome) => outcome.deploys,
    );
    if (outcomes.length === 0 || !seen.head) return;
    const id = newId("dlv");
    await tx
      .insertInto("delivery")
      .values({
        id,
        linked_project_id: project.id,
        event: "Poll",
        dedupe_key: null,
        headers: "{}",
        payload: JSON.stringify({ ref: `refs/heads/${seen.branch}`, after: seen.head.commit.sha }),
        body_bytes: 0,
        state: "processed",
        verdict: "deployed",
        reason: null,
        processed_at: new Date(),
      })
      .execute();
    const decision = await enqueueOutcomes(tx, deps.enqueue, seen, outcomes, id);
    await suspectHook(tx, project.id);
    const trace = ["Found by polling: no webhook told of this commit", ...decision.trace];
    await tx
      .updateTable("delivery")
      .set({ trace: JSON.stringify(trace) })
      .where("id", "=", id)
      .execute();
  });
}

/** A webhook that should have told of it: GitLab may have lost it, or cannot reach us any more. */
async function suspectHook(tx: Tx, linkedProjectId: string): Promise<void> {
  await tx
    .updateTable("linked_project")
    .set({ hook_suspect_at: sql<Date>`coalesce(hook_suspect_at, now())` })
    .where("id", "=", linkedProjectId)
    .where("hook_state", "=", "active")
    .execute();
}
