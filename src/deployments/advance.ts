import { sql } from "kysely";
import { Fault } from "../faults/fault.ts";
import type { Tx } from "../store/store.ts";
import type { Run } from "./context.ts";
import { reportState } from "./report.ts";
import { mayFollow, TERMINAL_STATES, type DeploymentState } from "./state.ts";

/**
 * Writes a state, fenced: only while the claim holds and only along the transition table. Throws `LOST_WORKER` when the claim is gone, and
 * `CANCELLED` when a person cancelled and the next state could still be: whether its notification came or not. `also` runs in the same transaction.
 */
export async function advance(
  run: Run,
  to: DeploymentState,
  also?: (tx: Tx) => Promise<void>,
): Promise<void> {
  await advanceTo(run, to, { also });
}

interface Ending {
  readonly also?: ((tx: Tx) => Promise<void>) | undefined;
  readonly fault?: Fault | undefined;
}

/** The same with a fault for the last state. */
export async function advanceTo(run: Run, to: DeploymentState, ending: Ending): Promise<void> {
  const { store, appUrl, metrics } = run.parts;
  const { deploymentId, attempt } = run.claim;
  const begun = await store.transaction(async (tx) => {
    const row = await tx
      .selectFrom("deployment")
      .select(["state", "commit_sha", "ref", "created_at", "cancel_requested_at"])
      .where("id", "=", deploymentId)
      .where("attempt", "=", attempt)
      .forUpdate()
      .executeTakeFirst();
    if (!row) throw overtaken();
    if (row.state === to) return null;
    if (row.cancel_requested_at !== null && to !== "queued" && mayFollow(to, "cancelled")) throw cancelled();
    if (!mayFollow(row.state, to)) throw new Error(`a deployment cannot go from ${row.state} to ${to}`);
    await tx
      .updateTable("deployment")
      .set({ state: to, ...endingColumns(to, ending.fault) })
      .where("id", "=", deploymentId)
      .execute();
    await ending.also?.(tx);
    await reportState(tx, run.target, row, to, appUrl);
    await store.notify("log", deploymentId, tx);
    await store.notify("outbox", deploymentId, tx);
    return row.created_at;
  });
  if (begun && TERMINAL_STATES.includes(to))
    metrics.observeDeployment(to, (Date.now() - begun.getTime()) / 1000);
}

export function overtaken(): Fault {
  return Fault.of("LOST_WORKER", "", { message: "another worker took this deployment over" });
}

export function cancelled(): Fault {
  return Fault.of("CANCELLED", "", { message: "a person cancelled it" });
}

function endingColumns(
  to: DeploymentState,
  fault: Fault | undefined,
): { finished_at?: Date; fault?: string } {
  return {
    ...(TERMINAL_STATES.includes(to) ? { finished_at: new Date() } : {}),
    ...(fault === undefined ? {} : { fault: JSON.stringify(faultRow(fault)) }),
  };
}

/** A fault as rows keep it: for people, without stack and cause. */
function faultRow(fault: Fault): Record<string, unknown> {
  return { code: fault.code, reason: fault.reason, message: fault.message, evidence: fault.evidence };
}

/** Runs one step and keeps when it began, how it ended and how long it took. Every write carries the attempt. */
export async function step<T>(run: Run, name: string, work: () => Promise<T>): Promise<T> {
  run.signal.throwIfAborted();
  const { store } = run.parts;
  const { deploymentId, attempt } = run.claim;
  const begun = await sql`insert into deployment_step (deployment_id, attempt, name, state)
    select id, attempt, ${name}, 'running' from deployment where id = ${deploymentId} and attempt = ${attempt}
    on conflict (deployment_id, attempt, name) do update set state = 'running', finished_at = null`.execute(
    store.db,
  );
  if (begun.numAffectedRows === 0n) throw overtaken();
  await store.notify("log", deploymentId);
  const end = (state: "done" | "failed"): Promise<unknown> =>
    store.db
      .updateTable("deployment_step")
      .set({ state, finished_at: new Date() })
      .where("deployment_id", "=", deploymentId)
      .where("attempt", "=", attempt)
      .where("name", "=", name)
      .execute();
  const started = performance.now();
  try {
    const result = await work();
    await end("done");
    run.parts.metrics.observeStep(name, (performance.now() - started) / 1000);
    return result;
  } catch (error) {
    await end("failed").catch((failure: unknown) =>
      run.parts.log.warn({ error: failure }, "a step's end could not be written"),
    );
    throw error;
  }
}
