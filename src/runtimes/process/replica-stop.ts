import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deadline, sleep } from "../../kernel/clock.ts";
import { waitUntil } from "../../kernel/retry.ts";
import { Fault } from "../../faults/fault.ts";
import { killSandbox } from "./containment.ts";
import { ifMissing } from "./fences.ts";
import { isAlive, signalProcess, type ProcessRef } from "./processes.ts";
import { isPortFree, releasePort } from "./ports.ts";
import { findClaim, findIdentity, findState } from "./replica-files.ts";
import { removeGroups } from "./control-groups.ts";

const AFTER_GRACE_MS = 10_000;

/**
 * Ends whatever there is of a replica, started by whomever, in whatever state a crash left it, and removes its folder. Throws
 * `RUNTIME_UNAVAILABLE` when something of it cannot be killed; then the folder stays, so that it is found again.
 */
export async function endReplica(portFolder: string, folder: string, graceMs: number): Promise<void> {
  const identity = await findIdentity(folder);
  const launcher = await findClaim(folder);
  const lived = launcher !== null && isAlive(launcher);
  if (lived) await endLauncher(folder, launcher, graceMs);
  const state = await findState(folder);
  try {
    if (identity !== null && state?.sandbox) await killSandbox(state.sandbox, identity.containment);
    if (identity !== null && lived) await waitForPort(identity.port); // of the long dead another program may have it
  } catch (error) {
    throw Fault.of("RUNTIME_UNAVAILABLE", "", {
      message: "a process of the replica could not be ended",
      cause: error,
      retryable: true,
    });
  }
  if (identity !== null) {
    await removeGroups(identity.groups);
    await releasePort(portFolder, identity.port);
  }
  await rm(folder, { recursive: true, force: true });
}

async function endLauncher(folder: string, launcher: ProcessRef, graceMs: number): Promise<void> {
  await writeFile(join(folder, "grace"), String(graceMs), { mode: 0o600 }).catch(ifMissing(undefined));
  signalProcess(launcher, "SIGTERM");
  signalProcess(launcher, "SIGCONT"); // a stopped process would hear nothing
  const signal = deadline(graceMs + AFTER_GRACE_MS);
  while (isAlive(launcher) && !signal.aborted) await sleep(10);
  signalProcess(launcher, "SIGKILL");
  await waitUntil(() => !isAlive(launcher), { everyMs: 5, signal: deadline(AFTER_GRACE_MS) });
}

/** Whoever had it is dead; the kernel closes sockets of the dead a moment later. */
async function waitForPort(port: number): Promise<void> {
  await waitUntil(async () => isPortFree(port), { everyMs: 20, signal: deadline(5_000) });
}
