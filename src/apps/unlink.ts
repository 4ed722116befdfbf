import { sql } from "kysely";
import { toFault } from "../faults/fault.ts";
import type { Db } from "../store/store.ts";
import type { LeftBehind } from "./apps.ts";
import type { AppsDeps } from "./deps.ts";
import { writeEvent } from "./events.ts";
import { projectKey, withProjectLock } from "./project-lock.ts";
import { isLastApp, removeApp, type Reach, type RemoveOptions } from "./remove-app.ts";

/** Longer than the longest thing that holds a project: another link or unlink with its teardown. */
const LOCK_WAIT_MS = 120_000;

/** Stops what runs, then removes key, hook and rows. An app that is not there (any more) is no error. */
export async function unlink(
  deps: AppsDeps,
  nameOrId: string,
  signal?: AbortSignal,
  options: RemoveOptions = { keepRowsIfLeft: false },
): Promise<{ readonly left: readonly LeftBehind[] }> {
  const found = await deps.store.db
    .selectFrom("app")
    .innerJoin("linked_project", "linked_project.id", "app.linked_project_id")
    .select(["app.id", "linked_project.connection_id", "linked_project.project_id"])
    .where((eb) => eb.or([eb("app.id", "=", nameOrId), eb("app.name", "=", nameOrId)]))
    .executeTakeFirst();
  if (!found) return { left: [] };
  const reach = await tryOpen(deps, found.connection_id);
  const key = projectKey(found.connection_id, found.project_id);
  const left = await withProjectLock(deps.store, key, { waitMs: LOCK_WAIT_MS, signal }, async (db) => {
    // Marked under the lock: from here on no push of this project queues a deployment for it.
    if (!(await markRemoving(db, found.id))) return [];
    await tearDown(deps, db, found.id, signal);
    if (await isLastApp(db, found.id)) await deps.forgetSource(found.connection_id, found.project_id);
    return removeApp(db, reach, found.id, options, signal);
  });
  if (left.length > 0) deps.log.warn({ app: found.id, left }, "Unlinked, but something stays in GitLab");
  return { left };
}

async function markRemoving(db: Db, appId: string): Promise<boolean> {
  const marked = await db
    .updateTable("app")
    .set({ removing_at: sql<Date>`coalesce(removing_at, now())` })
    .where("id", "=", appId)
    .executeTakeFirst();
  if (marked.numUpdatedRows === 0n) return false;
  await writeEvent(db, appId, "unlinking", "Unlinking began");
  return true;
}

async function tearDown(deps: AppsDeps, db: Db, appId: string, signal?: AbortSignal): Promise<void> {
  const environments = await db.selectFrom("environment").select("id").where("app_id", "=", appId).execute();
  for (const { id } of environments) await deps.teardown(id, signal);
}

/** A token that cannot even be opened must not keep an app alive. */
async function tryOpen(deps: AppsDeps, connectionId: string): Promise<Reach> {
  try {
    const { gitlab } = await deps.connections.open(connectionId);
    return { gitlab };
  } catch (error) {
    return { fault: toFault(error) };
  }
}
