import { sql } from "kysely";
import { projectKey, tryProjectLock } from "../apps/project-lock.ts";
import type { Connections } from "../connections/connections.ts";
import type { Enqueue } from "../deployments/enqueue.ts";
import type { Branch, GitLab } from "../gitlab/gitlab.ts";
import { toFault, type Fault } from "../faults/fault.ts";
import { backoff } from "../kernel/retry.ts";
import { deadline } from "../kernel/clock.ts";
import type { Db, Store, Tx } from "../store/store.ts";
import type { Logger } from "../telemetry/log.ts";
import { enqueueOutcomes, lockCandidates, matchHead, type Decision } from "./decide.ts";
import { shortSha } from "./match.ts";
import { isNullSha, readPushFacts, type PushFacts } from "./payload.ts";

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

interface Waiting {
  readonly id: string;
  readonly payload: unknown;
  readonly tries: number;
  readonly ageMs: number;
}

/** Milliseconds one project may hold its lock. What is not done by then goes on at the next turn. */
const TURN_MS = 30_000;
const CALL_MS = 10_000;
const BATCH = 100;
/** How long GitLab may be away before a delivery is given up; the branch is looked at by polling even then. */
const GIVE_UP_MS = 3_600_000;
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
    const heads = createHeads(deps, project, turn);
    for (const waiting of await listWaiting(db, project.id)) {
      if (turn.aborted) return;
      await processOne(deps, db, project, waiting, heads, signal);
    }
  });
  return attempt.locked;
}

async function listWaiting(db: Db, linkedProjectId: string): Promise<readonly Waiting[]> {
  const rows = await sql<Waiting>`
    select id, payload, tries, (extract(epoch from now() - received_at) * 1000)::float8 as "ageMs"
    from delivery
    where linked_project_id = ${linkedProjectId} and state = 'received' and not_before <= now()
    order by received_at, id
    limit ${BATCH}`.execute(db);
  return rows.rows;
}

type Heads = (branch: string) => Promise<Branch | null>;

/**
 * Reads each branch head at most once in a turn: every delivery of the turn came before the read. A fault is remembered for all branches: a dead token
 * must not be tried a hundred times, GitLab bans for that.
 */
function createHeads(deps: ProcessDeps, project: WaitingProject, signal: AbortSignal): Heads {
  const known = new Map<string, Branch | null>();
  let gitlab: GitLab | null = null;
  let fault: Fault | null = null;
  return async (branch) => {
    const cached = known.get(branch);
    if (cached !== undefined) return cached;
    if (fault) throw fault;
    try {
      gitlab ??= (await deps.connections.open(project.connectionId)).gitlab;
      const head = await gitlab.findBranch(project.projectId, branch, { signal: deadline(CALL_MS, signal) });
      known.set(branch, head);
      return head;
    } catch (error) {
      fault = toFault(error);
      throw fault;
    }
  };
}

async function processOne(
  deps: ProcessDeps,
  db: Db,
  project: WaitingProject,
  waiting: Waiting,
  heads: Heads,
  signal: AbortSignal,
): Promise<void> {
  const push = readPushFacts(waiting.payload);
  try {
    if (push.branch === null) return await finish(db, waiting.id, ignored("it is not a push to a branch"));
    const head = await heads(push.branch);
    if (isStale(push, head, waiting.tries))
      return await postpone(db, waiting, "GitLab does not show this push yet");
    await decideOne(deps, db, project, waiting.id, push.branch, push, head);
  } catch (error) {
    if (signal.aborted) return;
    await giveUpOrWait(deps, db, waiting, toFault(error));
  }
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

function ignored(reason: string): Decision {
  return { verdict: "ignored", reason, trace: [] };
}

async function finish(
  on: Db | Tx,
  deliveryId: string,
  decision: {
    readonly verdict: "deployed" | "ignored" | "failed";
    readonly reason: string | null;
    readonly trace: readonly string[];
  },
): Promise<void> {
  await sql`
    update delivery
    set state = 'processed', verdict = ${decision.verdict}, reason = ${decision.reason}, processed_at = now(),
      trace = trace || ${JSON.stringify(decision.trace)}::jsonb
    where id = ${deliveryId} and state = 'received'`.execute(on);
}

async function giveUpOrWait(deps: ProcessDeps, db: Db, waiting: Waiting, fault: Fault): Promise<void> {
  const words = `${fault.code}${fault.reason === "" ? "" : ` (${fault.reason})`}: ${fault.message}`.slice(
    0,
    1000,
  );
  deps.log.warn(
    { delivery: waiting.id, tries: waiting.tries, error: fault },
    "A delivery could not be decided",
  );
  if (mayPass(fault) && waiting.ageMs < GIVE_UP_MS) return postpone(db, waiting, words, fault.retryAt);
  await finish(db, waiting.id, { verdict: "failed", reason: words, trace: [words] });
}

function mayPass(fault: Fault): boolean {
  return (
    fault.retryable ||
    fault.is("UNREACHABLE") ||
    fault.is("RATE_LIMITED") ||
    fault.is("GITLAB_UNAVAILABLE") ||
    fault.is("CANCELLED") ||
    fault.is("INTERNAL")
  );
}

/** Tried again after a pause that doubles from half a second to five minutes, or when GitLab said. The reason joins the trace once. */
async function postpone(db: Db, waiting: Waiting, why: string, retryAt: number | null = null): Promise<void> {
  const wait = Math.max(backoff(waiting.tries + 1, 1000, 300_000), (retryAt ?? 0) - Date.now());
  const note = JSON.stringify([`Waiting: ${why}`]);
  await sql`
    update delivery
    set tries = tries + 1, not_before = now() + ${Math.min(wait, GIVE_UP_MS)} * interval '1 millisecond',
      trace = case when trace @> ${note}::jsonb then trace else trace || ${note}::jsonb end
    where id = ${waiting.id} and state = 'received'`.execute(db);
}
