import { sql } from "kysely";
import { toFault, type Fault } from "../faults/fault.ts";
import type { GitLab } from "../gitlab/gitlab.ts";
import type { Db } from "../store/store.ts";
import type { LeftBehind } from "./apps.ts";
import { isSameKey } from "./deploy-key.ts";
import type { AppRow, LinkedProjectRow } from "./rows.ts";

/** The way to GitLab, or why there is none: rows can be removed without it, and what stays there is named. */
export type Reach = { readonly gitlab: GitLab } | { readonly fault: Fault };

export interface RemoveOptions {
  /** Keeps the rows, marked, when something could not be removed in GitLab, so that it can be tried again. */
  readonly keepRowsIfLeft: boolean;
}

/**
 * Removes the deploy key, the hook with the project's last app, and the rows. The caller holds the project's lock and has stopped what runs.
 * Idempotent. What GitLab did not let go is returned, never thrown.
 */
export async function removeApp(
  db: Db,
  reach: Reach,
  appId: string,
  options: RemoveOptions,
  signal?: AbortSignal,
): Promise<readonly LeftBehind[]> {
  const app = await db
    .updateTable("app")
    .set({ removing_at: sql<Date>`coalesce(removing_at, now())` })
    .where("id", "=", appId)
    .returningAll()
    .executeTakeFirst();
  if (!app) return [];
  const linked = await db
    .selectFrom("linked_project")
    .selectAll()
    .where("id", "=", app.linked_project_id)
    .executeTakeFirstOrThrow();
  const left = [...(await removeKey(reach, app, linked, signal))];
  if (await isLastApp(db, app.id)) left.push(...(await removeHooks(reach, linked, signal)));
  if (left.length === 0 || !options.keepRowsIfLeft) await removeRows(db, app);
  return left;
}

/** Whether no other app shares the app's linked project. */
export async function isLastApp(db: Db, appId: string): Promise<boolean> {
  const other = await db
    .selectFrom("app as mine")
    .innerJoin("app as other", "other.linked_project_id", "mine.linked_project_id")
    .select("other.id")
    .where("mine.id", "=", appId)
    .where("other.id", "<>", appId)
    .executeTakeFirst();
  return other === undefined;
}

async function removeRows(db: Db, app: AppRow): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx.deleteFrom("app").where("id", "=", app.id).execute();
    await tx
      .deleteFrom("linked_project")
      .where("id", "=", app.linked_project_id)
      .where((eb) =>
        eb.not(
          eb.exists(eb.selectFrom("app").select("id").where("linked_project_id", "=", app.linked_project_id)),
        ),
      )
      .execute();
  });
}

async function removeKey(
  reach: Reach,
  app: AppRow,
  linked: LinkedProjectRow,
  signal?: AbortSignal,
): Promise<readonly LeftBehind[]> {
  if (app.deploy_key_public === null) return [];
  const call = signal ? { signal } : {};
  const publicKey = app.deploy_key_public;
  try {
    const gitlab = getReached(reach);
    const ids =
      app.deploy_key_id === null
        ? (await gitlab.listDeployKeys(linked.project_id, call))
            .filter((key) => isSameKey(key.key, publicKey))
            .map((key) => key.id)
        : [app.deploy_key_id];
    for (const id of ids) await gitlab.deleteDeployKey(linked.project_id, id, call);
    return [];
  } catch (error) {
    const url = `${linked.web_url}/-/settings/repository`;
    return [{ what: "deploy_key", id: app.deploy_key_id ?? 0, url, why: explain(error, app.deploy_key_id) }];
  }
}

/** Every hook that calls our secret path, were it two: the path is known to nobody else. */
async function removeHooks(
  reach: Reach,
  linked: LinkedProjectRow,
  signal?: AbortSignal,
): Promise<readonly LeftBehind[]> {
  const call = signal ? { signal } : {};
  try {
    const gitlab = getReached(reach);
    const hooks = await gitlab.listHooks(linked.project_id, call);
    const ours = hooks.filter(
      (hook) => hook.id === linked.hook_id || hook.url.endsWith(`/hooks/gitlab/${linked.hook_path}`),
    );
    for (const hook of ours) await gitlab.deleteHook(linked.project_id, hook.id, call);
    return [];
  } catch (error) {
    // None of ours was made; one that a person made by hand is removed only where GitLab lets us see it.
    if (linked.hook_state === "polling" && linked.hook_id === null) return [];
    const url = `${linked.web_url}/-/hooks`;
    return [{ what: "hook", id: linked.hook_id ?? 0, url, why: explain(error, linked.hook_id) }];
  }
}

function getReached(reach: Reach): GitLab {
  if ("fault" in reach) throw reach.fault;
  return reach.gitlab;
}

function explain(error: unknown, id: number | null): string {
  const fault = toFault(error);
  const unsure = id === null ? "It may have been made, its id is not known: " : "";
  if (fault.is("PROJECT_NOT_FOUND")) {
    return `${unsure}GitLab does not show the project to this token any more. If the project was deleted, nothing is left`;
  }
  return `${unsure}${fault.message}`;
}
