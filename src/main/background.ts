import { toError } from "../kernel/clock.ts";
import { Fault } from "../faults/fault.ts";
import type { Logger } from "../telemetry/log.ts";

export interface Background {
  /** Rejects when one of them ends with an error. */
  readonly broken: Promise<never>;
  /** Tells all of them to stop and waits. May be called twice. */
  stop(): Promise<void>;
}

/** Runs what works beside the server, until it is stopped. */
export function runBackground(
  log: Logger,
  works: Readonly<Record<string, (stopping: AbortSignal) => Promise<void>>>,
): Background {
  const stopping = new AbortController();
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {}); // nobody may be waiting yet
  const ended = Object.entries(works).map(([name, work]) =>
    work(stopping.signal).catch((error: unknown) => {
      if (stopping.signal.aborted) return;
      log.error({ error: toError(error) }, `${name}: ended with an error`);
      broken.reject(toError(error));
    }),
  );
  return {
    broken: broken.promise,
    async stop() {
      stopping.abort(Fault.of("LOST_WORKER", "", { message: "Fairlead is stopping" }));
      await Promise.all(ended);
    },
  };
}
