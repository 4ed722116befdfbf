import { deadline } from "../kernel/clock.ts";
import { waitUntil } from "../kernel/retry.ts";
import { callControl } from "./control-request.ts";
import type { EdgeFiles } from "./edge-files.ts";
import { findLockHolder } from "./lock.ts";
import { isRunning, type ProcessIdentity } from "./process-identity.ts";

const ANSWER_MS = 5000;

/** Ends the edge of a data directory, if there is one: gently, and after `graceMs` by force. When it returns its process is gone. */
export async function endEdge(files: EdgeFiles, graceMs: number): Promise<void> {
  const holder = await findLockHolder(files.lock);
  if (!holder) return;
  await callControl(files.socket, "POST /retire", { graceMs }, AbortSignal.timeout(ANSWER_MS)).catch(() =>
    signal(holder, "SIGTERM"),
  );
  if (await cameTrue(async () => !(await isRunning(holder)), graceMs + 1000)) return;
  signal(holder, "SIGKILL");
  await cameTrue(async () => !(await isRunning(holder)), ANSWER_MS);
}

/**
 * Makes the edge of a data directory give up its address, socket and lock; its requests under way go on. By signal, which edges
 * of any version understand.
 */
export async function evictEdge(files: EdgeFiles): Promise<void> {
  const holder = await findLockHolder(files.lock);
  if (!holder) return;
  const gone = async (): Promise<boolean> =>
    (await findLockHolder(files.lock))?.startedAt !== holder.startedAt;
  signal(holder, "SIGTERM");
  if (await cameTrue(gone, ANSWER_MS)) return;
  signal(holder, "SIGKILL");
  await cameTrue(gone, ANSWER_MS);
}

async function cameTrue(condition: () => Promise<boolean>, withinMs: number): Promise<boolean> {
  const limit = deadline(withinMs);
  try {
    return await waitUntil(condition, { everyMs: 10, signal: limit });
  } catch (error) {
    if (limit.aborted) return false;
    throw error;
  }
}

function signal(holder: ProcessIdentity, name: NodeJS.Signals): void {
  try {
    process.kill(holder.pid, name);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
