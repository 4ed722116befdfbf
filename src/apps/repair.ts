import { Fault, toFault } from "../faults/fault.ts";
import type { GitLab, Hook } from "../gitlab/gitlab.ts";
import type { Db } from "../store/store.ts";
import type { AppsDeps } from "./deps.ts";
import { ensureInGitLab } from "./ensure-in-gitlab.ts";
import { hookAddress } from "./hook-address.ts";
import { projectKey, withProjectLock } from "./project-lock.ts";
import type { AppRow, LinkedProjectRow } from "./rows.ts";

const LOCK_WAIT_MS = 10_000;

/** Something in GitLab that is not as it was made, and what would be done about it. */
export interface Repair {
  readonly what: "hook" | "deploy_key";
  readonly project: string;
  readonly text: string;
}

export interface Repaired extends Repair {
  /** null: done. */
  readonly failed: string | null;
}

interface Planned extends Repair {
  readonly app: AppRow;
  readonly linked: LinkedProjectRow;
  /** A hook that GitLab switched off is switched on by a call that succeeds. */
  readonly test: number | null;
}

/** Looks; changes nothing. Throws `NOT_FOUND` for a connection that is not there, and what GitLab answers. */
export async function listRepairs(
  deps: AppsDeps,
  connection: string,
  signal?: AbortSignal,
): Promise<readonly Repair[]> {
  const { planned } = await plan(deps, connection, signal);
  return planned.map(({ what, project, text }) => ({ what, project, text }));
}

/** Does what `listRepairs` would list at this moment; one that fails does not keep the others. */
export async function repair(
  deps: AppsDeps,
  connection: string,
  signal?: AbortSignal,
): Promise<readonly Repaired[]> {
  const { gitlab, planned } = await plan(deps, connection, signal);
  const done: Repaired[] = [];
  for (const one of planned) {
    const { what, project, text } = one;
    try {
      await doOne(deps, gitlab, one, signal);
      done.push({ what, project, text, failed: await stillPolling(deps, one) });
    } catch (error) {
      const fault = toFault(error);
      done.push({ what, project, text, failed: fault.evidence.words ?? fault.code });
    }
  }
  return done;
}

async function plan(
  deps: AppsDeps,
  nameOrId: string,
  signal?: AbortSignal,
): Promise<{ readonly gitlab: GitLab; readonly planned: readonly Planned[] }> {
  const { id } = await deps.connections.get(nameOrId);
  const { gitlab } = await deps.connections.open(id);
  const { db } = deps.store;
  const projects = await db
    .selectFrom("linked_project")
    .selectAll()
    .where("connection_id", "=", id)
    .execute();
  const apps = await db.selectFrom("app").selectAll().where("removing_at", "is", null).execute();
  const planned: Planned[] = [];
  for (const linked of projects) {
    const own = apps.filter((app) => app.linked_project_id === linked.id);
    planned.push(...(await planProject(deps, gitlab, linked, own, signal)));
  }
  return { gitlab, planned };
}

async function planProject(
  deps: AppsDeps,
  gitlab: GitLab,
  linked: LinkedProjectRow,
  apps: readonly AppRow[],
  signal?: AbortSignal,
): Promise<readonly Planned[]> {
  const [first] = apps;
  if (!first) return [];
  const call = signal ? { signal } : {};
  const [hooks, keys] = await Promise.all([
    gitlab.listHooks(linked.project_id, call),
    gitlab.listDeployKeys(linked.project_id, call),
  ]);
  const known = new Set(keys.map(({ id }) => id));
  const lost = apps.filter(({ deploy_key_id: id }) => id !== null && !known.has(id));
  const project = linked.path;
  return [
    ...planHook(deps, gitlab, linked, hooks).map(({ text, test }) => ({
      what: "hook" as const,
      project,
      text,
      test,
      app: first,
      linked,
    })),
    ...lost.map((app) => ({
      what: "deploy_key" as const,
      project,
      text: `Make the read-only deploy key of ${app.name} in ${project} again`,
      test: null,
      app,
      linked,
    })),
  ];
}

function planHook(
  deps: AppsDeps,
  gitlab: GitLab,
  linked: LinkedProjectRow,
  hooks: readonly Hook[],
): readonly { readonly text: string; readonly test: number | null }[] {
  const address = hookAddress(deps.publicUrl, gitlab.baseUrl);
  if (!address.usable) return [];
  const url = address.receiver + linked.hook_path;
  const ours = hooks.filter((hook) => hook.id === linked.hook_id || hook.url === url);
  const [hook, ...extra] = ours;
  const { path } = linked;
  if (!hook) return [{ text: `Make the webhook of ${path}`, test: null }];
  if (hook.alertStatus === "disabled" || hook.alertStatus === "temporarily_disabled") {
    return [{ text: `Switch the webhook of ${path} on again, by letting GitLab call it`, test: hook.id }];
  }
  if (extra.length > 0) return [{ text: `Remove ${extra.length} second webhooks of ${path}`, test: null }];
  const changed = hook.url !== url || !hook.pushEvents || hook.branchFilter !== null || !hook.verifiesTls;
  if (changed) return [{ text: `Set the webhook of ${path} back to what it was`, test: null }];
  if (linked.bad_secret_count > 0) {
    return [
      { text: `Give the webhook of ${path} its secret again: calls with a wrong one came`, test: null },
    ];
  }
  return [];
}

async function doOne(deps: AppsDeps, gitlab: GitLab, one: Planned, signal?: AbortSignal): Promise<void> {
  const { linked, app } = one;
  const key = projectKey(linked.connection_id, linked.project_id);
  await withProjectLock(deps.store, key, { waitMs: LOCK_WAIT_MS, signal }, async (db) => {
    if (one.what === "hook") {
      await db
        .updateTable("linked_project")
        .set({ bad_secret_count: 0 })
        .where("id", "=", linked.id)
        .execute();
    } else await forgetKey(db, app);
    const forgotten = one.what === "hook" ? app : { ...app, deploy_key_id: null };
    await ensureInGitLab(deps, db, gitlab, { app: forgotten, linked }, signal);
  });
  if (one.test !== null && !(await gitlab.testHook(linked.project_id, one.test, signal ? { signal } : {}))) {
    throw Fault.of("HOOK_DISABLED", "", {
      evidence: { words: "this GitLab can only be told in its own pages: press “Test” at the webhook" },
    });
  }
}

async function forgetKey(db: Db, app: AppRow): Promise<void> {
  await db.updateTable("app").set({ deploy_key_id: null }).where("id", "=", app.id).execute();
}

/** A hook that GitLab refuses is no error of linking: the reason is in the row. */
async function stillPolling(deps: AppsDeps, { what, linked }: Planned): Promise<string | null> {
  if (what !== "hook") return null;
  const row = await deps.store.db
    .selectFrom("linked_project")
    .select(["hook_state", "hook_reason"])
    .where("id", "=", linked.id)
    .executeTakeFirst();
  return row?.hook_state === "polling" ? (row.hook_reason ?? "GitLab refuses the webhook") : null;
}
