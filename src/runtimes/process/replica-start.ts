import { mkdir } from "node:fs/promises";
import { Fault } from "../../faults/fault.ts";
import { deadline } from "../../kernel/clock.ts";
import { waitUntil } from "../../kernel/retry.ts";
import type { Replica, StartRequest } from "../runtime.ts";
import { releasePort, reservePort } from "./ports.ts";
import { checkProgram } from "./replica-check.ts";
import { prepareLaunch, startLauncher, type ReplicaContext } from "./replica-launch.ts";
import { findReplica, isHeld } from "./replica-list.ts";
import { endReplica } from "./replica-stop.ts";

/** Milliseconds in which a launcher must have a process. */
const START_MS = 15_000;

/** One after another for the same replica; the caller sees to that. */
export async function startReplica(
  context: ReplicaContext,
  folder: string,
  request: StartRequest,
): Promise<Replica> {
  await context.fences.raise(request.fence);
  const running = await findReplica(folder);
  if (running !== null && (await isHeld(folder))) return waitForProcess(folder);
  await endReplica(context.portFolder, folder, 0); // what a dead launcher left
  await checkProgram(context.ground, request);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    await using launcher = await startLauncher(context, folder);
    const port = await reservePort(context.portFolder, context.portRange, request.replicaId);
    const order = await prepareLaunch(context, folder, request, port).catch(async (error: unknown) => {
      await releasePort(context.portFolder, port);
      throw error;
    });
    await context.fences.check(request.fence);
    launcher.give(order);
    return await waitForProcess(folder);
  } catch (error) {
    await endReplica(context.portFolder, folder, 0);
    throw error;
  }
}

async function waitForProcess(folder: string): Promise<Replica> {
  const signal = deadline(START_MS);
  try {
    return await waitUntil(
      async () => {
        const replica = await findReplica(folder);
        return replica !== null && replica.starts > 0 ? replica : null;
      },
      { everyMs: 10, signal },
    );
  } catch (error) {
    throw Fault.of("START_FAILED", "", {
      message: `the replica had no process after ${START_MS / 1000} s`,
      cause: error,
    });
  }
}
