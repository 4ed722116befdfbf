import { fromKysely, PgBoss, type JobAttempt } from "pg-boss";
import { toError } from "../kernel/clock.ts";
import type { Store, Tx } from "../store/store.ts";
import type { Logger } from "../telemetry/log.ts";

/**
 * The queue says only "look at this environment": a job carries `{environmentId}` and nothing else, the truth is the deployment
 * rows. Policy `stately` with one key per environment: one job active, one waiting, the rest fold into the waiting one.
 */
export interface Queue extends AsyncDisposable {
  /** Part of the caller's transaction: rolled back with it. Many calls for one environment leave one waiting job. */
  send(tx: Tx, environmentId: string): Promise<void>;
  /** Takes up to `limit` jobs whose environment nobody works at. */
  fetch(limit: number): Promise<readonly Job[]>;
}

export interface Job {
  readonly environmentId: string;
  /** Says that this worker still lives. To be called every few seconds. */
  touch(): Promise<void>;
  /** The environment has been looked at. A job that was taken over meanwhile is left alone. */
  complete(): Promise<void>;
}

const NAME = "deploy";

/** Longer than every deadline of a deployment together: only a lost heartbeat ends a job early. */
const EXPIRY_SECONDS = 4 * 3600;

interface Payload {
  environmentId: string;
}

export async function openQueue(store: Store, log: Logger): Promise<Queue> {
  const boss = new PgBoss({
    db: { executeSql: async (text, values) => store.pool.query(text, values) },
    schema: "pgboss",
    schedule: false,
    registerInstance: false,
    persistWarnings: false,
    superviseIntervalSeconds: 1,
    monitorIntervalSeconds: 5,
  });
  boss.on("error", (error) => log.warn({ error }, "queue maintenance failed; it is tried again"));
  await boss.start();
  await boss.createQueue(NAME, {
    policy: "stately",
    heartbeatSeconds: 10, // pg-boss' minimum; a dead worker's job was picked up after 9.5 s
    expireInSeconds: EXPIRY_SECONDS,
    retryLimit: 1000, // a crash must never use up the job: the deployment row counts attempts itself
    retryDelay: 0,
    deleteAfterSeconds: 3600,
  });
  return {
    async send(tx, environmentId) {
      const payload: Payload = { environmentId };
      await boss.upsert(NAME, payload, { singletonKey: environmentId, db: fromKysely(tx) });
    },
    async fetch(limit) {
      const jobs = await boss.fetch<Payload>(NAME, { batchSize: limit, includeMetadata: true });
      return jobs.map((job) =>
        claimed(boss, { id: job.id, retryCount: job.retryCount }, job.data.environmentId),
      );
    },
    async [Symbol.asyncDispose]() {
      await boss.stop({ graceful: false, close: false }).catch((error: unknown) => {
        log.warn({ error: toError(error) }, "the queue did not stop cleanly");
      });
    },
  };
}

function claimed(boss: PgBoss, attempt: JobAttempt, environmentId: string): Job {
  return {
    environmentId,
    touch: async () => void (await boss.touch(NAME, attempt)),
    complete: async () => void (await boss.complete(NAME, attempt)),
  };
}
