import { Fault } from "../faults/fault.ts";
import { sleep } from "../kernel/clock.ts";
import { cancelled, overtaken } from "./advance.ts";
import { LEASE_SECONDS, renewClaim } from "./claim.ts";
import type { Claim, Parts } from "./context.ts";

const BEAT_MS = 2000;
/** Two questions without an answer fill a lease. */
const ANSWER_MS = 5000;

export interface Heartbeat extends AsyncDisposable {
  /** Aborts with `CANCELLED` or `LOST_WORKER`. */
  readonly signal: AbortSignal;
}

/**
 * Renews a claim every 2 s. The signal aborts, which kills the attempt's children first of all, when the claim is gone, when it could not be renewed
 * for a whole lease (then another worker may have it), and when a person cancels. A process that was stopped for a while renews before it judges:
 * one failure alone, such as an answer that came while it stood still, never ends it.
 */
export async function startHeartbeat(parts: Parts, claim: Claim): Promise<Heartbeat> {
  const controller = new AbortController();
  let renewed = performance.now();
  let failures = 0;
  let beating: Promise<void> = Promise.resolve();
  const beat = async (): Promise<void> => {
    try {
      const { held, cancel } = await answered(renewClaim(parts.store, claim));
      if (!held) return controller.abort(overtaken());
      renewed = performance.now();
      failures = 0;
      if (cancel) controller.abort(cancelled());
    } catch (error) {
      failures += 1;
      parts.log.warn({ error, deployment: claim.deploymentId }, "the claim could not be renewed");
      if (failures > 1 && performance.now() - renewed > LEASE_SECONDS * 1000)
        controller.abort(lost("the database could not be reached for a whole lease"));
    }
  };
  const next = (): void => {
    beating = beating.then(beat);
  };
  const onCancel = (payload: string): void => {
    if (payload === claim.deploymentId) next();
  };
  const subscription = await parts.store.listen("cancel", onCancel, next);
  const timer = setInterval(next, BEAT_MS);
  next(); // a cancellation from before we listened
  await beating;
  return {
    signal: controller.signal,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await subscription[Symbol.asyncDispose]();
      await beating;
    },
  };
}

/** A connection that is cut off without a word would keep the question open for many minutes. */
async function answered<T>(question: Promise<T>): Promise<T> {
  const settled = new AbortController();
  const late = sleep(ANSWER_MS, settled.signal).then(() => {
    throw new Error("the database did not answer in time");
  });
  try {
    return await Promise.race([question, late]);
  } finally {
    settled.abort();
  }
}

function lost(message: string): Fault {
  return Fault.of("LOST_WORKER", "", { message });
}
