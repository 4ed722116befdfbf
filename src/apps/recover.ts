import { toFault } from "../faults/fault.ts";
import type { Db } from "../store/store.ts";
import type { AppsDeps } from "./deps.ts";
import { ensureInGitLab } from "./ensure-in-gitlab.ts";
import { projectKey, withProjectLock } from "./project-lock.ts";
import { isUnfinished, type AppRow, type LinkedProjectRow } from "./rows.ts";
import { unlink } from "./unlink.ts";

const LOCK_WAIT_MS = 5000;

/** Finishes what a crash left: links that were begun are completed, unlinks that were begun too. Trouble is logged and left for the next time. */
export async function recover(deps: AppsDeps, signal?: AbortSignal): Promise<void> {
  const apps = await deps.store.db
    .selectFrom("app")
    .innerJoin("linked_project", "linked_project.id", "app.linked_project_id")
    .select([
      "app.id",
      "app.name",
      "app.removing_at",
      "app.deploy_key_id",
      "app.deploy_key_public",
      "linked_project.hook_state",
      "linked_project.connection_id",
      "linked_project.project_id",
    ])
    .execute();
  for (const app of apps.filter((row) => isUnfinished(row, row))) {
    if (signal?.aborted) return;
    try {
      if (app.removing_at !== null) await unlink(deps, app.id, signal, { keepRowsIfLeft: true });
      else await finishLink(deps, app, signal);
      deps.log.info({ app: app.name }, "Finished what was half-done");
    } catch (error) {
      deps.log.warn({ app: app.name, error: toFault(error) }, "What is half-done could not be finished");
    }
  }
}

async function finishLink(
  deps: AppsDeps,
  app: { readonly id: string; readonly connection_id: string; readonly project_id: number },
  signal?: AbortSignal,
): Promise<void> {
  const { gitlab } = await deps.connections.open(app.connection_id);
  const key = projectKey(app.connection_id, app.project_id);
  await withProjectLock(deps.store, key, { waitMs: LOCK_WAIT_MS, signal }, async (db) => {
    const rows = await readRows(db, app.id);
    if (rows && rows.app.removing_at === null) await ensureInGitLab(deps, db, gitlab, rows, signal);
  });
}

async function readRows(
  db: Db,
  appId: string,
): Promise<{ readonly app: AppRow; readonly linked: LinkedProjectRow } | null> {
  const app = await db.selectFrom("app").selectAll().where("id", "=", appId).executeTakeFirst();
  if (!app) return null;
  const linked = await db
    .selectFrom("linked_project")
    .selectAll()
    .where("id", "=", app.linked_project_id)
    .executeTakeFirstOrThrow();
  return { app, linked };
}
