import type { GitLab } from "../gitlab/gitlab.ts";
import type { Db } from "../store/store.ts";
import type { AppsDeps } from "./deps.ts";
import { bringHook } from "./bring-hook.ts";
import { ensureDeployKey } from "./deploy-key.ts";
import { writeEvent } from "./events.ts";
import type { AppRow, LinkedProjectRow } from "./rows.ts";

/** Brings hook and deploy key in GitLab to what the rows say, and notes in the rows what came of it. May be repeated. */
export async function ensureInGitLab(
  deps: Pick<AppsDeps, "vault" | "publicUrl" | "connections">,
  db: Db,
  gitlab: GitLab,
  rows: { readonly app: AppRow; readonly linked: LinkedProjectRow },
  signal?: AbortSignal,
): Promise<void> {
  const { app, linked } = rows;
  await bringHook(deps, db, gitlab, { apps: [app.id], linked }, { settled: false, prove: false }, signal);
  await bringKey(db, gitlab, rows, signal);
}

async function bringKey(
  db: Db,
  gitlab: GitLab,
  { app, linked }: { readonly app: AppRow; readonly linked: LinkedProjectRow },
  signal?: AbortSignal,
): Promise<void> {
  if (app.deploy_key_id !== null || app.deploy_key_public === null) return;
  const outcome = await ensureDeployKey(
    gitlab,
    { projectId: linked.project_id, title: `Fairlead ${app.name}`, publicKey: app.deploy_key_public },
    signal,
  );
  if (outcome.made) {
    await db.updateTable("app").set({ deploy_key_id: outcome.id }).where("id", "=", app.id).execute();
    await writeEvent(db, app.id, "deploy_key_made", `GitLab knows the read-only deploy key (${outcome.id})`);
    return;
  }
  await db
    .updateTable("app")
    .set({ deploy_key_public: null, deploy_key_private: null })
    .where("id", "=", app.id)
    .execute();
  await writeEvent(db, app.id, "deploy_key_missing", outcome.reason);
}
