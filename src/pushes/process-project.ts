import { sql } from "kysely";
import { projectKey, tryProjectLock } from "../apps/project-lock.ts";
import type { Connections } from "../connections/connections.ts";
import type { Enqueue } from "../deployments/enqueue.ts";
import { toFault } from "../faults/fault.ts";
import type { Branch } from "../gitlab/gitlab.ts";
import { deadline } from "../kernel/clock.ts";
import type { Db, Store, Tx } from "../store/store.ts";
import type { Logger } from "../telemetry/log.ts";
import { enqueueOutcomes, lockCandidates, matchHead } from "./decide.ts";
import { createHeads, type Heads } from "./heads.ts";
import { shortSha } from "./match.ts";
import { isNullSha, readPushFacts, type PushFacts } from "./payload.ts";
import { finish, giveUpOrWait, ignored, noteWaiting, postpone, type Undecided } from "./verdict.ts";

export interface ProcessDeps {
  readonly store: Store;
  readonly connections: Connections;
  readonly enqueue: Enqueue;
  readonly log: Logger;
}

export interface WaitingProject {
  readonly id: string;
  readonly connectionId: string;
  readonly projectId: number;
}

interface Waiting extends Undecided {
  readonly payload: unknown;
}

/** Milliseconds one project may hold its lock. What is not done by then goes on at the next turn. */
const TURN_MS = 30_000;
const BATCH = 100;
/** Webhooks have been seen to arrive 37 s before the API knew of the push (`integration-lessons.md` B6). */
const STALE_TRIES = 6;

/** One turn of one project: its waiting deliveries in the order they came, each branch head read once. False: somebody else has the project. */
export async function processProject(
  deps: ProcessDeps,
  project: WaitingProject,
  signal: AbortSignal,
): Promise<boolean> {
  const turn = deadline(TURN_MS, signal);
  const key = projectKey(project.connectionId, project.projectId);
  const attempt = await tryProjectLock(deps.store, key, async (db) => {
    const heads = createHeads(deps.connections, project, turn);
    for (const waiting of await listWaiting(db, project.id)) {
      if (turn.aborted || !(await processOne(deps, db, project, waiting, heads, signal))) return;
    }
  });
  return attempt.locked;
}

/** Only the parts of the payload that are read: a hundred whole ones may be a hundred megabytes. */
async function listWaiting(db: Db, linkedProjectId: string): Promise<readonly Waiting[]> {
  const rows = await sql<Waiting>`
    select id, tries,
      jsonb_build_object('ref', payload -> 'ref', 'before', payload -> 'before', 'after', payload -> 'after',
        'push_options', payload -> 'push_options') as payload, (extract(epoch from now() - received_at) * 1000)::float8 as "ageMs"
    from delivery
    where linked_project_id = ${linkedProjectId} and state = 'received' and not_before <= now()
    order by received_at, id
    limit ${BATCH}`.execute(db);
  return rows.rows;
}

/** False: the connection waits for a person, and so does everything that comes behind. */
async function processOne(
  deps: ProcessDeps,
  db: Db,
  project: WaitingProject,
  waiting: Waiting,
  heads: Heads,
  signal: AbortSignal,
): Promise<boolean> {
  const push = readPushFacts(waiting.payload);
  try {
    await processPush(deps, db, project, waiting, push, heads);
  } catch (error) {
    if (signal.aborted) return true;
    const fault = toFault(error);
    deps.log.warn({ delivery: waiting.id, tries: waiting.tries, error: fault }, "A delivery was not decided");
    if (await deps.connections.suspect(project.connectionId, fault)) {
      await noteWaiting(db, waiting, fault);
      return false;
    }
    await giveUpOrWait(db, waiting, fault);
  }
  return true;
}

async function processPush(
  deps: ProcessDeps,
  db: Db,
  project: WaitingProject,
  waiting: Waiting,
  push: PushFacts,
  heads: Heads,
): Promise<void> {
  if (push.branch === null) return finish(db, waiting.id, ignored("it is not a push to a branch"));
  const head = await heads(push.branch);
  if (isStale(push, head, waiting.tries)) return postpone(db, waiting, "GitLab does not show this push yet");
  await decideOne(deps, db, project, waiting.id, push.branch, push, head);
}

function isStale(push: PushFacts, head: Branch | null, tries: number): boolean {
  if (tries >= STALE_TRIES) return false;
  if (head === null) return isNullSha(push.before);
  return head.commit.sha === push.before && head.commit.sha !== push.after;
}

/** Verdict and deployments in one transaction. The row is claimed in it, so that whatever else happens it is decided once. */
async function decideOne(
  deps: ProcessDeps,
  db: Db,
  project: WaitingProject,
  deliveryId: string,
  branch: string,
  push: PushFacts,
  head: Branch | null,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const claimed = await claim(tx, deliveryId);
    if (!claimed) return;
    if (claimed.duplicate) return finish(tx, deliveryId, ignored("duplicate delivery"));
    const candidates = await lockCandidates(tx, project.id);
    const seen = { linkedProjectId: project.id, branch, head, skipRequested: push.skipRequested };
    const outcomes = matchHead(candidates, seen);
    const decision = await enqueueOutcomes(tx, deps.enqueue, seen, outcomes, deliveryId);
    await finish(tx, deliveryId, { ...decision, trace: [announced(push), ...decision.trace] });
  });
}

async function claim(tx: Tx, deliveryId: string): Promise<{ readonly duplicate: boolean } | undefined> {
  const claimed = await sql<{ duplicate: boolean }>`
    select exists (
      select from delivery as other
      where other.linked_project_id = mine.linked_project_id and other.dedupe_key = mine.dedupe_key
        and other.id <> mine.id and other.verdict = 'deployed'
    ) as duplicate
    from delivery as mine
    where id = ${deliveryId} and state = 'received'
    for update skip locked`.execute(tx);
  return claimed.rows[0];
}

function announced(push: PushFacts): string {
  return `GitLab announced ${push.branch}: ${shortSha(push.before)} → ${shortSha(push.after)}`;
}
