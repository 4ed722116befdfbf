import { sql } from "kysely";
import { hookAddress } from "../apps/hook-address.ts";
import type { Connections, OpenConnection } from "../connections/connections.ts";
import type { CheckRequest } from "../doctor/check.ts";
import type { Diagnosis } from "../doctor/diagnosis.ts";
import type { Observations, ProjectSeen } from "../doctor/observations.ts";
import type { ProjectTarget } from "../doctor/visit.ts";
import { Fault, toFault } from "../faults/fault.ts";
import type { GitLab } from "../gitlab/gitlab.ts";
import type { Db, Store } from "../store/store.ts";

export interface DiagnoseDeps {
  readonly store: Store;
  readonly connections: Connections;
  readonly checkConnection: (
    request: CheckRequest,
    observations?: Observations,
  ) => Promise<{ readonly diagnosis: Diagnosis }>;
  readonly publicUrl: string | null;
  readonly searchPath: string;
}

export interface DiagnoseWish {
  /** Lets GitLab call the webhooks, too. */
  readonly probe: boolean;
}

/** Branches whose heads are asked for; of more it is said that nobody looked. */
const MAX_HEADS = 200;
const HEAD_MS = 10_000;

/**
 * The whole diagnosis of a stored connection, with what Fairlead itself has seen of it. Changes nothing. Throws `NOT_FOUND`, `KEY_UNUSABLE`,
 * `CANCELLED`; everything that is wrong with the connection is in the diagnosis.
 */
export async function diagnose(
  deps: DiagnoseDeps,
  nameOrId: string,
  wish: DiagnoseWish,
  signal?: AbortSignal,
): Promise<Diagnosis> {
  const { id } = await deps.connections.get(nameOrId);
  const connection = await deps.connections.open(id);
  const { db } = deps.store;
  const linked = await readLinked(db, id);
  const targets = linked.map((project) => toTarget(deps, connection, project));
  const { diagnosis } = await deps.checkConnection(
    {
      url: connection.gitlab.baseUrl,
      token: connection.token,
      network: connection.network,
      projects: targets,
      wishes: { probe: wish.probe, publicUrl: deps.publicUrl, searchPath: deps.searchPath },
      signal,
    },
    await observe(db, connection, linked, signal),
  );
  return diagnosis;
}

interface LinkedSeen {
  readonly id: string;
  readonly projectId: number;
  readonly hookPath: string;
  readonly hookId: number | null;
  readonly hookState: string;
  readonly hookReason: string | null;
  readonly refused: number;
  readonly accepted: number;
  readonly lastAt: Date | null;
  readonly keys: number[];
}

async function readLinked(db: Db, connectionId: string): Promise<readonly LinkedSeen[]> {
  const { rows } = await sql<LinkedSeen>`
    select linked.id, linked.project_id as "projectId", linked.hook_path as "hookPath", linked.hook_id as "hookId",
      linked.hook_state as "hookState", linked.hook_reason as "hookReason", linked.bad_secret_count as refused,
      (select count(*) from delivery
        where delivery.linked_project_id = linked.id and received_at > now() - interval '7 days') as accepted,
      (select max(received_at) from delivery where delivery.linked_project_id = linked.id) as "lastAt",
      array(select deploy_key_id from app
        where app.linked_project_id = linked.id and deploy_key_id is not null) as keys
    from linked_project as linked
    where linked.connection_id = ${connectionId}
    order by linked.path`.execute(db);
  return rows.map((row) => ({
    ...row,
    keys: row.keys.map(Number),
  }));
}

function toTarget(deps: DiagnoseDeps, { gitlab }: OpenConnection, linked: LinkedSeen): ProjectTarget {
  const address = hookAddress(deps.publicUrl, gitlab.baseUrl);
  const isCalled = linked.hookState === "active" && address.usable;
  const seen: ProjectSeen = {
    hookUrl: isCalled ? address.receiver + linked.hookPath : null,
    hookId: linked.hookId,
    pollingBecause: linked.hookReason ?? (address.usable ? null : address.reason),
    deployKeyIds: linked.keys,
    deliveries: { accepted: linked.accepted, refused: linked.refused, lastAt: linked.lastAt },
    countSince: (since) => countSince(deps.store.db, linked.id, since),
  };
  return { project: linked.projectId, seen };
}

async function countSince(db: Db, linkedId: string, since: Date): Promise<number> {
  const { count } = await db
    .selectFrom("delivery")
    .select((eb) => eb.fn.countAll<string>().as("count"))
    .where("linked_project_id", "=", linkedId)
    .where("received_at", ">=", since)
    .executeTakeFirstOrThrow();
  return Number(count);
}

async function observe(
  db: Db,
  { id, gitlab }: OpenConnection,
  linked: readonly LinkedSeen[],
  signal?: AbortSignal,
): Promise<Observations> {
  const sum = (pick: (one: LinkedSeen) => number): number => linked.reduce((all, one) => all + pick(one), 0);
  return {
    deliveriesSeen: { accepted: sum(({ accepted }) => accepted), refused: sum(({ refused }) => refused) },
    headsNotDeployed: await findGaps(db, gitlab, id, signal),
    statusWritten: await readLastStatus(db, id),
  };
}

interface EnvironmentHead {
  readonly name: string;
  readonly branch: string;
  readonly wanted: string | null;
  readonly projectId: number;
}

/** Environments whose branch is elsewhere than where they were told to be; "unknown" as soon as GitLab does not answer. */
async function findGaps(
  db: Db,
  gitlab: GitLab,
  connectionId: string,
  signal?: AbortSignal,
): Promise<Observations["headsNotDeployed"]> {
  const { rows } = await sql<EnvironmentHead>`
    select app.name || '/' || environment.name as name, environment.branch, environment.wanted_commit as wanted,
      linked_project.project_id as "projectId"
    from environment join app on app.id = environment.app_id
      join linked_project on linked_project.id = app.linked_project_id
    where linked_project.connection_id = ${connectionId} and app.removing_at is null
    order by 1 limit ${MAX_HEADS + 1}`.execute(db);
  if (rows.length > MAX_HEADS) return "unknown";
  const limit = AbortSignal.any([AbortSignal.timeout(HEAD_MS), ...(signal ? [signal] : [])]);
  try {
    const gaps = await Promise.all(rows.map((row) => findGap(gitlab, row, limit)));
    return gaps.flat();
  } catch (error) {
    if (signal?.aborted) throw Fault.of("CANCELLED", "", { cause: signal.reason });
    if (toFault(error).is("INTERNAL")) throw error;
    return "unknown"; // why GitLab does not answer is told by the checks before
  }
}

async function findGap(gitlab: GitLab, row: EnvironmentHead, signal: AbortSignal): Promise<string[]> {
  const branch = await gitlab.findBranch(row.projectId, row.branch, { signal });
  if (!branch) return [`${row.name}: there is no branch ${row.branch} any more`];
  if (branch.commit.sha === row.wanted) return [];
  const ahead = row.wanted === null ? null : await countAhead(gitlab, row, branch.commit.sha, signal);
  const by = ahead === null ? "" : `, ${ahead} commits ahead`;
  return [`${row.name}: ${row.branch} is at ${branch.commit.sha.slice(0, 8)}${by}, not deployed`];
}

/** null: history was rewritten, or there is too much to compare. */
async function countAhead(
  gitlab: GitLab,
  row: EnvironmentHead,
  head: string,
  signal: AbortSignal,
): Promise<number | null> {
  try {
    const { commits } = await gitlab.compare(row.projectId, row.wanted ?? head, head, { signal });
    return commits.length === 0 ? null : commits.length;
  } catch {
    return null; // the number is only an ornament
  }
}

interface LastStatus {
  readonly state: "pending" | "sent" | "failed";
  readonly fault: unknown;
  readonly at: Date;
}

async function readLastStatus(db: Db, connectionId: string): Promise<Observations["statusWritten"]> {
  const { rows } = await sql<LastStatus>`
    select state, fault, coalesce(sent_at, created_at) as at from outbox
    where connection_id = ${connectionId} and kind = 'commit_status' and state <> 'pending'
    order by id desc limit 1`.execute(db);
  const [last] = rows;
  if (!last) return "unknown";
  const when = last.at.toISOString().slice(0, 16).replace("T", " ");
  if (last.state === "sent") return { ok: true, words: `the last one at ${when} UTC` };
  return { ok: false, words: `the last one, of ${when} UTC: ${codeOf(last.fault)}` };
}

function codeOf(fault: unknown): string {
  const isRecord = typeof fault === "object" && fault !== null && "code" in fault;
  return isRecord && typeof fault.code === "string" ? fault.code : "refused";
}
