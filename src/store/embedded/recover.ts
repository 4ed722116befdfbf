import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../../faults/fault.ts";
import { deadline } from "../../kernel/clock.ts";
import { waitUntil } from "../../kernel/retry.ts";
import type { Logger } from "../../telemetry/log.ts";
import { listHolders, signalProcess } from "./processes.ts";
import type { ServerPaths } from "./settings.ts";

/** Milliseconds an orphan gets for its checkpoint before it is told to stop without one; crash recovery then does the work. */
const FAST_STOP_MS = 7_500;
const QUIT_STOP_MS = 10_000;

/**
 * Makes the cluster startable, whatever the last holder left: stops an orphan server, waits for leftover backends, removes stale locks. Only
 * with the instance lock held: whatever still runs then belongs to a Fairlead that died.
 */
export async function recoverCluster(paths: ServerPaths, log: Logger, signal?: AbortSignal): Promise<void> {
  const holders = await listHolders(paths.data, paths.cluster);
  const postmaster = holders.find((holder) => holder.postmaster);
  if (postmaster) {
    log.warn({ pid: postmaster.pid }, "stopping the PostgreSQL that an earlier Fairlead left behind");
    signalProcess(postmaster.pid, "SIGINT");
    if (!(await isFreeWithin(paths, FAST_STOP_MS, signal))) signalProcess(postmaster.pid, "SIGQUIT");
  }
  if (!(await isFreeWithin(paths, QUIT_STOP_MS, signal))) {
    const pids = (await listHolders(paths.data, paths.cluster)).map((holder) => holder.pid).join(", ");
    throw Fault.of("DATABASE_UNAVAILABLE", "in_use", {
      message: `PostgreSQL processes from an earlier start do not end: ${pids}. Kill them, then start again.`,
      evidence: { pids },
    });
  }
  // a zombie (its parent has not asked for it yet) has no working folder, so it is no holder; PostgreSQL itself would take its pid for alive
  await rm(join(paths.data, "postmaster.pid"), { force: true });
  await rm(join(paths.sockets, ".s.PGSQL.5432"), { force: true });
  await rm(join(paths.sockets, ".s.PGSQL.5432.lock"), { force: true });
}

async function isFreeWithin(paths: ServerPaths, ms: number, signal?: AbortSignal): Promise<boolean> {
  try {
    return await waitUntil(async () => (await listHolders(paths.data, paths.cluster)).length === 0, {
      everyMs: 20,
      signal: deadline(ms, signal),
    });
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Error && error.name === "TimeoutError") return false;
    throw error;
  }
}
