import { sql } from "kysely";
import type { Db } from "../store/store.ts";
import { bringHook } from "./bring-hook.ts";
import type { AppsDeps } from "./deps.ts";
import { projectKey, tryProjectLock } from "./project-lock.ts";
import type { LinkedProjectRow } from "./rows.ts";

export interface HookedProject {
  /** Of the row in `linked_project`. */
  readonly id: string;
  readonly connectionId: string;
  readonly projectId: number;
}

/** False: somebody else has the project at this moment. */
export type HookLook = (project: HookedProject, signal: AbortSignal) => Promise<boolean>;

/**
 * Compares the project's webhook in GitLab with how it was made and puts right what is not: one request where nothing is wrong. False: somebody
 * else has the project at this moment.
 */
export async function lookAtHook(
  deps: AppsDeps,
  project: HookedProject,
  signal?: AbortSignal,
): Promise<boolean> {
  const { gitlab } = await deps.connections.open(project.connectionId);
  const key = projectKey(project.connectionId, project.projectId);
  const attempt = await tryProjectLock(deps.store, key, async (db) => {
    const linked = await db
      .selectFrom("linked_project")
      .selectAll()
      .where("id", "=", project.id)
      .executeTakeFirst();
    const apps = await listLiveApps(db, project.id);
    if (!linked || apps.length === 0) return;
    const mode = {
      settled: linked.hook_state !== "creating",
      prove:
        linked.hook_state === "creating" || linked.hook_state === "polling" || (await isSilent(db, linked)),
    };
    await bringHook(deps, db, gitlab, { apps, linked }, mode, signal);
    await settleSuspicion(db, linked);
  });
  return attempt.locked;
}

async function listLiveApps(db: Db, linkedProjectId: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom("app")
    .select("id")
    .where("linked_project_id", "=", linkedProjectId)
    .where("removing_at", "is", null)
    .orderBy("id")
    .execute();
  return rows.map(({ id }) => id);
}

/** A push was found that no call told of, and none has come since: a late one, up to a minute before, clears the webhook. */
async function isSilent(db: Db, { id, hook_suspect_at: since }: LinkedProjectRow): Promise<boolean> {
  if (since === null) return false;
  const heard = await db
    .selectFrom("delivery")
    .select("id")
    .where("linked_project_id", "=", id)
    .where("event", "<>", "Poll")
    .where("received_at", ">", new Date(since.getTime() - 60_000))
    .limit(1)
    .executeTakeFirst();
  return heard === undefined;
}

/** Calls that were refused while we looked stay counted. */
async function settleSuspicion(db: Db, { id, bad_secret_count: counted }: LinkedProjectRow): Promise<void> {
  await db
    .updateTable("linked_project")
    .set({
      hook_suspect_at: null,
      bad_secret_count: sql<number>`case when hook_state = 'active' then greatest(bad_secret_count - ${counted}, 0)
        else bad_secret_count end`,
    })
    .where("id", "=", id)
    .execute();
}
