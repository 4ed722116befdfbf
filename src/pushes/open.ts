import type { Connections } from "../connections/connections.ts";
import type { Enqueue } from "../deployments/enqueue.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Vault } from "../secrets/vault.ts";
import type { Store } from "../store/store.ts";
import type { Logger } from "../telemetry/log.ts";
import { createAccept } from "./accept.ts";
import { getDelivery, listDeliveries, replayDelivery } from "./deliveries.ts";
import { dryRun } from "./dry-run.ts";
import { createPolling, type PollingIntervals } from "./polling.ts";
import { createPushProcessor } from "./process.ts";
import type { Pushes } from "./pushes.ts";
import { keepDeliveriesBounded } from "./retention.ts";

export interface PushesDeps {
  readonly store: Store;
  readonly vault: Vault;
  readonly connections: Connections;
  readonly enqueue: Enqueue;
  readonly log: Logger;
  readonly clock: Clock;
  readonly polling?: Partial<PollingIntervals>;
}

/** `run` processes, polls and deletes what is old until the signal aborts; resolves when all of it has stopped. */
export function createPushes(deps: PushesDeps): Pushes & { run(signal: AbortSignal): Promise<void> } {
  const { db } = deps.store;
  const processor = createPushProcessor(deps);
  const polling = createPolling({
    ...deps,
    ...(deps.polling === undefined ? {} : { intervals: deps.polling }),
  });
  return {
    ...createAccept(deps),
    list: (app, limit) => listDeliveries(db, app, limit),
    get: (id) => getDelivery(db, id),
    replay: (id) => replayDelivery(deps.store, id),
    dryRun: (app, ref) => dryRun(db, deps.connections, app, ref),
    async run(signal) {
      // one of them ending in an error ends the others: nothing is left running behind a rejected promise
      const failed = new AbortController();
      const either = AbortSignal.any([signal, failed.signal]);
      const parts = [processor.run(either), polling.run(either), keepDeliveriesBounded(db, deps.log, either)];
      for (const part of parts) part.catch((error: unknown) => failed.abort(error));
      await Promise.allSettled(parts);
      await Promise.all(parts);
    },
  };
}
