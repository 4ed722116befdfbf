import { sleep, toError } from "../kernel/clock.ts";
import { claimNext, listWaitingEnvironments } from "./claim.ts";
import type { Claim, Parts, Run } from "./context.ts";
import { deploy } from "./deploy.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { openLog } from "./log-writer.ts";
import type { Job } from "./queue.ts";
import { recover } from "./rollback.ts";
import { getTarget } from "./target.ts";

const SWEEP_MS = 2000;
const TOUCH_MS = 3000;

/**
 * Works until the signal aborts: takes jobs, at most `concurrency` environments at once, and in each environment one deployment after
 * another, always the newest. Woken by notifications, by ended work and every second. Resolves when all work has been ended or given back.
 */
export async function runWorker(parts: Parts, concurrency: number, stopping: AbortSignal): Promise<void> {
  const active = new Map<string, Promise<void>>();
  const bell = createBell(stopping);
  await using subscriptions = new AsyncDisposableStack();
  subscriptions.use(await parts.store.listen("deployment", bell.ring, bell.ring));
  const sweep = setInterval(
    () =>
      void sendLostJobs(parts).catch((error: unknown) =>
        warn(parts, error, "the sweep for lost jobs failed"),
      ),
    SWEEP_MS,
  );
  try {
    while (!stopping.aborted) {
      const jobs = active.size < concurrency ? await fetchJobs(parts, concurrency - active.size) : [];
      for (const job of jobs) start(parts, job, active, bell.ring, stopping);
      if (jobs.length === 0) await bell.wait();
    }
  } finally {
    clearInterval(sweep);
    await Promise.all(active.values());
  }
}

function start(
  parts: Parts,
  job: Job,
  active: Map<string, Promise<void>>,
  ring: () => void,
  stopping: AbortSignal,
): void {
  const before = active.get(job.environmentId);
  if (before)
    return void job
      .complete()
      .catch((error: unknown) => warn(parts, error, "a second job of one environment could not be ended"));
  const work = workAt(parts, job, stopping)
    .catch((error: unknown) => warn(parts, error, "work at an environment was broken off; it is tried again"))
    .finally(() => {
      active.delete(job.environmentId);
      ring();
    });
  active.set(job.environmentId, work);
}

async function fetchJobs(parts: Parts, limit: number): Promise<readonly Job[]> {
  return parts.queue.fetch(limit).catch((error: unknown) => {
    warn(parts, error, "the queue could not be asked; it is tried again");
    return [];
  });
}

/** Everything one environment has to do now. */
async function workAt(parts: Parts, job: Job, stopping: AbortSignal): Promise<void> {
  const touch = setInterval(
    () => void job.touch().catch((error: unknown) => warn(parts, error, "a job could not be kept alive")),
    TOUCH_MS,
  );
  try {
    while (!stopping.aborted) {
      const found = await claimNext(parts, job.environmentId);
      if (found.kind === "nothing" || found.kind === "busy") break;
      await attempt(parts, found.claim, stopping, found.kind === "lost" ? recover : deploy);
    }
  } finally {
    clearInterval(touch);
    await job.complete();
  }
}

/** One attempt with its heartbeat and its log around it. */
async function attempt(
  parts: Parts,
  claim: Claim,
  stopping: AbortSignal,
  work: (run: Run) => Promise<void>,
): Promise<void> {
  const target = await getTarget(parts.store.db, claim.environmentId);
  await using heartbeat = await startHeartbeat(parts, claim);
  await using log = await openLog(parts.store, claim.deploymentId, parts.redact, (error) =>
    warn(parts, error, "log lines of a deployment were lost"),
  );
  const signal = AbortSignal.any([heartbeat.signal, stopping]);
  await work({ parts, claim, target, log, signal, stopping });
}

async function sendLostJobs(parts: Parts): Promise<void> {
  const environments = await listWaitingEnvironments(parts.store);
  for (const environmentId of environments)
    await parts.store.transaction((tx) => parts.queue.send(tx, environmentId));
}

function createBell(stopping: AbortSignal): { ring: () => void; wait: () => Promise<void> } {
  let rung = new AbortController();
  return {
    ring: () => rung.abort(),
    async wait() {
      await sleep(1000, AbortSignal.any([rung.signal, stopping])).catch(() => {}); // woken early is not a failure
      rung = new AbortController();
    },
  };
}

function warn(parts: Parts, error: unknown, message: string): void {
  parts.log.warn({ error: toError(error) }, message);
}
