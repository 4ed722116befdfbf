import type { GitLab } from "../gitlab/gitlab.ts";
import type { Db } from "../store/store.ts";
import type { AppsDeps } from "./deps.ts";
import { ensureDeployKey } from "./deploy-key.ts";
import { writeEvent } from "./events.ts";
import { ensureHook } from "./hook.ts";
import { openHookSecrets } from "./hook-secrets.ts";
import type { AppRow, LinkedProjectRow } from "./rows.ts";

/** Brings hook and deploy key in GitLab to what the rows say, and notes in the rows what came of it. May be repeated. */
export async function ensureInGitLab(
  deps: Pick<AppsDeps, "vault" | "publicUrl">,
  db: Db,
  gitlab: GitLab,
  rows: { readonly app: AppRow; readonly linked: LinkedProjectRow },
  signal?: AbortSignal,
): Promise<void> {
  await bringHook(deps, db, gitlab, rows, signal);
  await bringKey(db, gitlab, rows, signal);
}

async function bringHook(
  deps: Pick<AppsDeps, "vault" | "publicUrl">,
  db: Db,
  gitlab: GitLab,
  { app, linked }: { readonly app: AppRow; readonly linked: LinkedProjectRow },
  signal?: AbortSignal,
): Promise<void> {
  const outcome = await ensureHook(
    gitlab,
    {
      projectId: linked.project_id,
      publicUrl: deps.publicUrl,
      hookPath: linked.hook_path,
      hookId: linked.hook_id,
      secrets: openHookSecrets(deps.vault, linked.id, linked),
      isForgotten: (hookPath) => isForgotten(db, hookPath),
    },
    signal,
  );
  const facts =
    outcome.state === "active"
      ? { hook_state: outcome.state, hook_id: outcome.id, hook_signed: outcome.signed, hook_reason: null }
      : { hook_state: outcome.state, hook_reason: outcome.reason };
  await db.updateTable("linked_project").set(facts).where("id", "=", linked.id).execute();
  if (outcome.state === "polling") await writeEvent(db, app.id, "hook_polling", outcome.reason);
  else await writeEvent(db, app.id, "hook_made", `GitLab calls us on every push (webhook ${outcome.id})`);
}

async function isForgotten(db: Db, hookPath: string): Promise<boolean> {
  const row = await db
    .selectFrom("linked_project")
    .select("id")
    .where("hook_path", "=", hookPath)
    .executeTakeFirst();
  return row === undefined;
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
