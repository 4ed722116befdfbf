import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Replica } from "../runtime.ts";
import { isAlive } from "./processes.ts";
import { findClaim, findIdentity, findState, listFolders } from "./replica-files.ts";

/** Whether a launcher stands over the replica now. */
export async function isHeld(folder: string): Promise<boolean> {
  const claim = await findClaim(folder);
  return claim !== null && isAlive(claim);
}

/** The replica of a folder as it is now; null when there is none. One whose launcher is dead has exited, whatever it wrote last. */
export async function findReplica(folder: string): Promise<Replica | null> {
  const identity = await findIdentity(folder);
  if (identity === null) return null;
  const state = await findState(folder);
  const held = await isHeld(folder);
  return {
    replicaId: identity.replicaId,
    environmentId: identity.environmentId,
    releaseId: identity.releaseId,
    deploymentId: identity.deploymentId,
    attempt: identity.attempt,
    port: identity.port,
    state: held ? (state?.state ?? "starting") : "exited",
    starts: state?.starts ?? 0,
    exitCode: state?.exitCode ?? null,
    startedAt: state?.startedAt ?? identity.createdAt,
  };
}

const UNFINISHED_MS = 60_000;

/** Removes folders that a crash left before it was written what they are for: nothing was started in them. */
export async function removeUnfinished(parent: string, now: number): Promise<void> {
  for (const name of await listFolders(parent)) {
    const folder = join(parent, name);
    if ((await findIdentity(folder)) !== null || (await isHeld(folder))) continue;
    const { mtimeMs } = await stat(folder);
    if (now - mtimeMs > UNFINISHED_MS) await rm(folder, { recursive: true, force: true });
  }
}

export async function listReplicas(parent: string): Promise<readonly Replica[]> {
  const found = await Promise.all(
    (await listFolders(parent)).map(async (name) => findReplica(join(parent, name))),
  );
  return found.filter((replica) => replica !== null);
}
