import { Fault } from "../faults/fault.ts";
import type { Apps } from "../apps/apps.ts";
import { toError } from "../kernel/clock.ts";
import type { Parts } from "./context.ts";
import type { Deployments } from "./deployments.ts";
import type { Enqueue } from "./enqueue.ts";
import { readLog } from "./log-reader.ts";
import { runOutbox } from "./outbox.ts";
import { requestCancel, requestDeploy, requestRedeploy, requestRollback } from "./requests.ts";
import { keepRowsBounded } from "./retention.ts";
import { readRunLogs } from "./run-logs.ts";
import { restoreService } from "./restore.ts";
import { getView, listReleaseViews, listViews } from "./views.ts";
import { runWorker } from "./worker.ts";

export interface Wiring extends Omit<Parts, "afterwards"> {
  readonly apps: Pick<Apps, "get">;
  readonly enqueue: Enqueue;
}

/** What people ask of deployments. Needs no worker: requests are rows. */
export function createDeployments(wiring: Omit<Wiring, "queue" | "source" | "workerId">): Deployments {
  const environment = async (app: string, name = "production"): Promise<string> => {
    const { environments } = await wiring.apps.get(app);
    const found = environments.find((one) => one.name === name);
    if (!found) throw Fault.of("NOT_FOUND", "", { message: `${app} has no environment ${name}.` });
    return found.id;
  };
  return {
    list: async (app, options) => listViews(wiring, (await wiring.apps.get(app)).id, options),
    get: (id) => getView(wiring, id),
    deploy: async (app, options) =>
      requestDeploy(wiring, await environment(app, options.environment), options.ref),
    redeploy: async (app, options) => requestRedeploy(wiring, await environment(app, options.environment)),
    rollback: async (app, options) =>
      requestRollback(wiring, await environment(app, options.environment), options.to),
    cancel: (id) => requestCancel(wiring, id),
    listReleases: async (app, options) =>
      listReleaseViews(wiring, await environment(app, options.environment)),
    async *logs(id, options) {
      await getView(wiring, id);
      yield* readLog(wiring.store, id, options);
    },
    async *runLogs(app, options) {
      const { environments } = await wiring.apps.get(app);
      yield* readRunLogs(
        wiring,
        environments.map((one) => one.id),
        options,
      );
    },
  };
}

/** Puts back what a restart of the machine took away, then works until the signal aborts. Resolves when everything is ended or given back. */
export async function runDeployments(
  wiring: Wiring,
  concurrency: number,
  stopping: AbortSignal,
): Promise<void> {
  const pending = new Set<Promise<void>>();
  const parts: Parts = {
    ...wiring,
    afterwards(name, work) {
      const done = work(stopping)
        .catch((error: unknown) => {
          if (!stopping.aborted) wiring.log.warn({ error: toError(error) }, `${name} failed`);
        })
        .finally(() => pending.delete(done));
      pending.add(done);
    },
  };
  await Promise.all([
    runWorker(parts, concurrency, stopping),
    runOutbox(parts, stopping),
    restoreService(parts, wiring.enqueue, stopping),
    keepRowsBounded(parts, stopping),
  ]);
  await Promise.all(pending);
}
