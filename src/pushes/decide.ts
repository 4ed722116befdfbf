import { sql } from "kysely";
import type { Enqueue } from "../deployments/enqueue.ts";
import type { Branch } from "../gitlab/gitlab.ts";
import type { Db, Tx } from "../store/store.ts";
import { match, shortSha, type Candidate, type Outcome } from "./match.ts";

export interface HeadSeen {
  readonly linkedProjectId: string;
  /** Without `refs/heads/`. */
  readonly branch: string;
  readonly head: Branch | null;
  readonly skipRequested: boolean;
}

export interface Decision {
  readonly verdict: "deployed" | "ignored";
  readonly reason: string | null;
  readonly trace: readonly string[];
}

/** The environments of a project, locked in the order of their ids: two transactions that want the same ones wait, they do not deadlock. */
export async function lockCandidates(tx: Tx, linkedProjectId: string): Promise<readonly Candidate[]> {
  await sql`select set_config('statement_timeout', '30s', true)`.execute(tx);
  return candidatesQuery(tx, linkedProjectId).forUpdate("environment").execute();
}

export function listCandidates(db: Db, linkedProjectId: string): Promise<readonly Candidate[]> {
  return candidatesQuery(db, linkedProjectId).execute();
}

function candidatesQuery(on: Db | Tx, linkedProjectId: string) {
  return on
    .selectFrom("environment")
    .innerJoin("app", "app.id", "environment.app_id")
    .select([
      "environment.id as environmentId",
      "app.name as app",
      "environment.name as environment",
      "environment.branch",
      "environment.wanted_commit as wantedCommit",
      sql<boolean>`app.removing_at is not null`.as("removing"),
    ])
    .where("app.linked_project_id", "=", linkedProjectId)
    .orderBy("environment.id");
}

export function matchHead(candidates: readonly Candidate[], seen: HeadSeen): readonly Outcome[] {
  const head = seen.head && { commit: seen.head.commit.sha, message: seen.head.commit.message };
  return match(candidates, { branch: seen.branch, head, skipRequested: seen.skipRequested });
}

/** Queues what the outcomes say, in the caller's transaction, and puts the decision into words. */
export async function enqueueOutcomes(
  tx: Tx,
  enqueue: Enqueue,
  seen: HeadSeen,
  outcomes: readonly Outcome[],
  deliveryId: string,
): Promise<Decision> {
  const trace = [headSentence(seen)];
  for (const outcome of outcomes) {
    if (!outcome.deploys || !seen.head) {
      trace.push(`${outcome.label}: ${outcome.reason}`);
      continue;
    }
    const { commit } = seen.head;
    const queued = await enqueue(tx, {
      environmentId: outcome.environmentId,
      commit: commit.sha,
      ref: seen.branch,
      title: commit.title,
      author: commit.authorName,
      cause: "push",
      deliveryId,
      releaseId: null,
    });
    const instead =
      queued.superseded.length === 0 ? "" : `, in place of ${queued.superseded.length} that still waited`;
    trace.push(
      `${outcome.label}: deployment #${queued.number} of ${shortSha(commit.sha)} is queued${instead}`,
    );
  }
  return { ...verdictOf(outcomes), trace };
}

function verdictOf(outcomes: readonly Outcome[]): Pick<Decision, "verdict" | "reason"> {
  if (outcomes.some((outcome) => outcome.deploys)) return { verdict: "deployed", reason: null };
  if (outcomes.length === 0)
    return { verdict: "ignored", reason: "no app of this project is linked (any more)" };
  const [only] = outcomes;
  const reason =
    outcomes.length === 1 && only
      ? `${only.label} ${only.reason}`
      : outcomes.map((outcome) => `${outcome.label} ${outcome.reason}`).join("; ");
  return { verdict: "ignored", reason: reason.slice(0, 2000) };
}

function headSentence({ branch, head }: HeadSeen): string {
  if (!head) return `GitLab has no branch ${branch}`;
  return `Branch ${branch} is at ${shortSha(head.commit.sha)}: ${head.commit.title.slice(0, 200)}`;
}
