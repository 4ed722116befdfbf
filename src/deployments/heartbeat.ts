import { Fault } from "../faults/fault.ts";
import { LEASE_SECONDS, renewClaim } from "./claim.ts";
import type { Claim, Parts } from "./context.ts";

const BEAT_MS = 2000;

export interface Heartbeat extends AsyncDisposable {
  /** Aborts with `CANCELLED` or `LOST_WORKER`. */
  readonly signal: AbortSignal;
}

/**
 * Renews a claim every 2 s. The signal aborts, which kills the attempt's children first of all, when the claim is gone, when it could not be renewed
 * for a whole lease (then another worker may have it), and when a person cancels. A process that was stopped for a while renews before it judges.
 */
export async function startHeartbeat(parts: Parts, claim: Claim): Promise<Heartbeat> {
  const controller = new AbortController();
  let renewed = performance.now();
  let beating: Promise<void> = Promise.resolve();
  const beat = async (): Promise<void> => {
    try {
      const { held, cancel } = await renewClaim(parts.store, claim);
      if (!held) return controller.abort(lost("another worker took this deployment over"));
      renewed = performance.now();
      if (cancel) controller.abort(Fault.of("CANCELLED", "", { message: "a person cancelled it" }));
    } catch (error) {
      parts.log.warn({ error, deployment: claim.deploymentId }, "the claim could not be renewed");
      if (performance.now() - renewed > LEASE_SECONDS * 1000)
        controller.abort(lost("the database could not be reached for a whole lease"));
    }
  };
  const next = (): void => {
    beating = beating.then(beat);
  };
  const timer = setInterval(next, BEAT_MS);
  const subscription = await parts.store.listen("cancel", (payload) => {
    if (payload === claim.deploymentId) next();
  });
  return {
    signal: controller.signal,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await subscription[Symbol.asyncDispose]();
      await beating;
    },
  };
}

function lost(message: string): Fault {
  return Fault.of("LOST_WORKER", "", { message });
}
