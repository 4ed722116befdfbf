import { mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Fault } from "../../faults/fault.ts";
import { deadline } from "../../kernel/clock.ts";
import type { BuildRequest } from "../runtime.ts";
import { runCommand, sandboxOf, stopped, type BuildContext } from "./build-command.ts";
import { killEarlierBuilds } from "./build-record.ts";
import { safeName } from "./fences.ts";
import { findUnsettable } from "./sandbox-env.ts";
import { handOverFolders } from "./sandbox-folders.ts";
import { isInside } from "./sandbox-spec.ts";

/**
 * Only one build of an environment runs: this one ends all others first, and gives up with `LOST_WORKER` as soon as another has begun,
 * even when this process was stopped in between: what was started waits for a word that is only given after it was recorded and the
 * fence was looked at again.
 */
export async function buildInSandbox(context: BuildContext, request: BuildRequest): Promise<void> {
  const { ground, fences } = context;
  const unsettable = findUnsettable(request.env);
  if (unsettable !== null) throw Fault.of("BUILD_FAILED", "", { message: unsettable });
  if (!isInside(resolve(request.directory), resolve(request.workspace))) {
    throw Fault.of("BUILD_FAILED", "", { message: "the build's folder lies outside the repository" });
  }
  await fences.raise(request.fence);
  const turn = await fences.next(`build-${safeName(request.environmentId)}`);
  const environmentFolder = join(ground.folder, "builds", safeName(request.environmentId));
  await killEarlierBuilds(environmentFolder, turn.attempt);
  const folder = join(environmentFolder, String(turn.attempt));
  const signal = deadline(request.timeoutMs, request.signal);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await handOverFolders(ground, context.way, sandboxOf(request, folder));
    const checkFences = async (): Promise<void> => {
      await fences.check(turn);
      await fences.check(request.fence);
    };
    for (const command of request.commands) {
      if (signal.aborted) throw stopped(request, command);
      await runCommand(context, request, command, { folder, signal, checkFences });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
