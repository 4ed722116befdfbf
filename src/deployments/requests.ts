import { projectKey, withProjectLock } from "../apps/project-lock.ts";
import { Fault } from "../faults/fault.ts";
import type { Commit } from "../gitlab/gitlab.ts";
import { deadline } from "../kernel/clock.ts";
import type { Tx } from "../store/store.ts";
import type { Parts } from "./context.ts";
import type { DeploymentView } from "./deployments.ts";
import { setWantedCommit, type DeploymentCause, type Enqueue } from "./enqueue.ts";
import { reportState } from "./report.ts";
import { TERMINAL_STATES } from "./state.ts";
import { getTarget, type Target } from "./target.ts";
import { getView } from "./views.ts";

type Ask = Pick<Parts, "store" | "connections" | "appUrl"> & { readonly enqueue: Enqueue };

/** Longer than one turn of the deliveries of a project. */
const LOCK_WAIT_MS = 40_000;
const CALL_MS = 10_000;

/**
 * Deploys the branch's head, or `ref`. Only the head becomes what the environment wants: an old commit by hand is not undone by polling, nor does it
 * hide a push. The head is read and queued under the project's lock, as for pushes, so that an older one is never queued behind a newer one.
 */
export async function requestDeploy(
  ask: Ask,
  environmentId: string,
  ref: string | undefined,
): Promise<DeploymentView> {
  const target = await getTarget(ask.store.db, environmentId);
  const { gitlab } = await ask.connections.open(target.connectionId);
  if (ref !== undefined && ref !== target.branch) {
    const commit = await gitlab.findCommit(target.projectId, ref);
    return getView(ask, await ask.store.transaction((tx) => enqueueCommit(ask, tx, target, commit, ref)));
  }
  const key = projectKey(target.connectionId, target.projectId);
  const id = await withProjectLock(ask.store, key, { waitMs: LOCK_WAIT_MS }, async (db) => {
    const branch = await gitlab.findBranch(target.projectId, target.branch, { signal: deadline(CALL_MS) });
    return db
      .transaction()
      .execute((tx) => enqueueCommit(ask, tx, target, branch?.commit ?? null, undefined));
  });
  return getView(ask, id);
}

async function enqueueCommit(
  ask: Ask,
  tx: Tx,
  target: Target,
  commit: Commit | null,
  ref: string | undefined,
): Promise<string> {
  if (!commit)
    throw Fault.of("NOT_FOUND", "", {
      message: `There is no ${ref === undefined ? `branch ${target.branch}` : `branch, tag or commit ${ref}`} in ${target.projectPath}.`,
    });
  if (ref === undefined) await setWantedCommit(tx, target.environmentId, commit.sha);
  const { deploymentId } = await ask.enqueue(tx, {
    ...request(target.environmentId, "manual"),
    commit: commit.sha,
    ref: ref === undefined || ref === commit.sha ? target.branch : ref,
    title: commit.title,
    author: commit.authorName,
  });
  return deploymentId;
}

/** The newest deployment's commit once more, from its source. */
export async function requestRedeploy(ask: Ask, environmentId: string): Promise<DeploymentView> {
  const newest = await ask.store.db
    .selectFrom("deployment")
    .select(["commit_sha as commit", "ref", "title", "author"])
    .where("environment_id", "=", environmentId)
    .orderBy("number", "desc")
    .limit(1)
    .executeTakeFirst();
  if (!newest) throw Fault.of("NOT_FOUND", "", { message: "Nothing was deployed yet." });
  const { deploymentId } = await ask.store.transaction((tx) =>
    ask.enqueue(tx, { ...request(environmentId, "redeploy"), ...newest }),
  );
  return getView(ask, deploymentId);
}

/** Starts a kept release again: the named one, or the newest that is older than the live one. */
export async function requestRollback(
  ask: Ask,
  environmentId: string,
  to: string | undefined,
): Promise<DeploymentView> {
  const release =
    to === undefined ? await findPrevious(ask, environmentId) : await findRelease(ask, environmentId, to);
  if (!release) {
    const message =
      to === undefined
        ? "There is no earlier release to go back to."
        : `Release ${to} is not kept for this environment.`;
    throw Fault.of("NOT_FOUND", "", { message });
  }
  const { deploymentId } = await ask.store.transaction((tx) =>
    enqueueRelease(ask.enqueue, tx, environmentId, "rollback", release),
  );
  return getView(ask, deploymentId);
}

export interface ReleaseRow {
  readonly id: string;
  readonly commit: string;
  readonly ref: string;
  readonly title: string | null;
  readonly author: string | null;
}

export function enqueueRelease(
  enqueue: Enqueue,
  tx: Parameters<Enqueue>[0],
  environmentId: string,
  cause: DeploymentCause,
  release: ReleaseRow,
): ReturnType<Enqueue> {
  const { id, ...commit } = release;
  return enqueue(tx, { ...request(environmentId, cause), ...commit, releaseId: id });
}

function request(environmentId: string, cause: DeploymentCause) {
  return { environmentId, cause, deliveryId: null, releaseId: null } as const;
}

async function findRelease(ask: Ask, environmentId: string, id: string): Promise<ReleaseRow | undefined> {
  return releases(ask, environmentId).where("r.id", "=", id).executeTakeFirst();
}

async function findPrevious(ask: Ask, environmentId: string): Promise<ReleaseRow | undefined> {
  return releases(ask, environmentId)
    .innerJoin("release as live", "live.id", "e.live_release_id")
    .whereRef("r.created_at", "<", "live.created_at")
    .orderBy("r.created_at", "desc")
    .limit(1)
    .executeTakeFirst();
}

/** Kept releases with what is known of their commit. */
export function releases(ask: Pick<Parts, "store">, environmentId: string) {
  return ask.store.db
    .selectFrom("release as r")
    .innerJoin("environment as e", "e.id", "r.environment_id")
    .innerJoin("deployment as d", "d.id", "r.deployment_id")
    .select(["r.id", "r.commit_sha as commit", "d.ref", "d.title", "d.author"])
    .where("r.environment_id", "=", environmentId)
    .where("r.state", "=", "ready");
}

/** A queued deployment ends at once; a running one is stopped by its worker, which hears of it by notification. */
export async function requestCancel(ask: Ask, id: string): Promise<DeploymentView> {
  const view = await getView(ask, id);
  const { environmentId } = await getEnvironmentOf(ask, id);
  const target = await getTarget(ask.store.db, environmentId);
  await ask.store.transaction(async (tx) => {
    const row = await tx
      .selectFrom("deployment")
      .select(["state", "commit_sha", "ref"])
      .where("id", "=", id)
      .forUpdate()
      .executeTakeFirstOrThrow();
    if (TERMINAL_STATES.includes(row.state)) {
      throw Fault.of("CONFLICT", "", { message: `The deployment has ended already: it is ${view.state}.` });
    }
    const now = new Date();
    const queued = row.state === "queued";
    await tx
      .updateTable("deployment")
      .set(
        queued
          ? { state: "cancelled", finished_at: now, cancel_requested_at: now }
          : { cancel_requested_at: now },
      )
      .where("id", "=", id)
      .execute();
    if (queued) await reportState(tx, target, row, "cancelled", ask.appUrl);
    await ask.store.notify("cancel", id, tx);
    await ask.store.notify("log", id, tx);
  });
  return getView(ask, id);
}

async function getEnvironmentOf(ask: Ask, deploymentId: string): Promise<{ environmentId: string }> {
  return ask.store.db
    .selectFrom("deployment")
    .select("environment_id as environmentId")
    .where("id", "=", deploymentId)
    .executeTakeFirstOrThrow();
}
