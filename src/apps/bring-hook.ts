import type { Updateable } from "kysely";
import type { GitLab } from "../gitlab/gitlab.ts";
import type { Instance } from "../faults/places.ts";
import type { LinkedProjectTable } from "../store/rows.ts";
import type { Db } from "../store/store.ts";
import type { AppsDeps } from "./deps.ts";
import { writeEvent } from "./events.ts";
import { ensureHook, proveHook } from "./hook.ts";
import { describeRefusal } from "./hook-refusal.ts";
import { openHookSecrets } from "./hook-secrets.ts";
import type { LinkedProjectRow } from "./rows.ts";

type BringDeps = Pick<AppsDeps, "vault" | "publicUrl" | "connections">;

interface HookOf {
  /** Ids of the apps that are told. */
  readonly apps: readonly string[];
  readonly linked: LinkedProjectRow;
}

export interface BringMode {
  /** It was brought before: one that shows no difference is left alone, and only what is new is told. */
  readonly settled: boolean;
  /** Let GitLab call it, whatever it looks like. */
  readonly prove: boolean;
}

/** Brings the project's webhook to what the row says, and notes in the row and the apps' events what came of it. The caller holds the project's lock. */
export async function bringHook(
  deps: BringDeps,
  db: Db,
  gitlab: GitLab,
  hook: HookOf,
  mode: BringMode,
  signal?: AbortSignal,
): Promise<void> {
  const { linked } = hook;
  const instance = await describeInstance(deps, linked);
  const outcome = await ensureHook(
    gitlab,
    {
      projectId: linked.project_id,
      publicUrl: deps.publicUrl,
      hookPath: linked.hook_path,
      hookId: linked.hook_id,
      secrets: openHookSecrets(deps.vault, linked.id, linked),
      settled: mode.settled ? { signed: linked.hook_signed, badSecrets: linked.bad_secret_count } : null,
      instance,
      isForgotten: (hookPath) => isForgotten(db, hookPath),
      onCreating: () => note(db, linked, { hook_state: "creating" }),
      onHealed: (text) => tell(db, hook, "hook_healed", text),
    },
    signal,
  );
  if (outcome.state === "polling") return notePolling(db, hook, mode, outcome.reason, outcome.id);
  const { id, signed, off, wasOff } = outcome;
  // Before GitLab calls: whether it signs decides how its call is judged.
  await note(db, linked, { hook_id: id, hook_signed: signed });
  if (mode.prove || off) {
    const refused = await proveHook(gitlab, linked.project_id, outcome, signal);
    const reason = refused && describeRefusal(refused, instance);
    if (reason !== null) return notePolling(db, hook, mode, reason, id);
  }
  // One that is new is suspected until GitLab has called it: nothing else would tell of a silent GitLab before the first push is missed.
  const suspicion = linked.hook_state === "creating" && !mode.prove ? { hook_suspect_at: new Date() } : {};
  await note(db, linked, { hook_state: "active", hook_reason: null, ...suspicion });
  if (wasOff)
    await tell(db, hook, "hook_healed", `GitLab had switched the webhook ${id} off: it is on again`);
  if (!mode.settled || linked.hook_state !== "active")
    await tell(db, hook, "hook_made", `GitLab calls us on every push (webhook ${id})`);
}

async function describeInstance({ connections }: BringDeps, linked: LinkedProjectRow): Promise<Instance> {
  const { webUrl, version } = await connections.get(linked.connection_id);
  return { baseUrl: webUrl, version, projectUrl: linked.web_url };
}

async function isForgotten(db: Db, hookPath: string): Promise<boolean> {
  const row = await db
    .selectFrom("linked_project")
    .select("id")
    .where("hook_path", "=", hookPath)
    .executeTakeFirst();
  return row === undefined;
}

/** The same reason again is not told again. */
async function notePolling(
  db: Db,
  hook: HookOf,
  { settled }: BringMode,
  reason: string,
  id: number | null,
): Promise<void> {
  const { linked } = hook;
  const known = settled && linked.hook_state === "polling" && linked.hook_reason === reason;
  await note(db, linked, { hook_state: "polling", hook_reason: reason, hook_id: id });
  if (!known) await tell(db, hook, "hook_polling", reason);
}

async function note(db: Db, { id }: LinkedProjectRow, facts: Updateable<LinkedProjectTable>): Promise<void> {
  await db.updateTable("linked_project").set(facts).where("id", "=", id).execute();
}

async function tell(
  db: Db,
  { apps }: HookOf,
  kind: "hook_made" | "hook_healed" | "hook_polling",
  text: string,
): Promise<void> {
  for (const app of apps) await writeEvent(db, app, kind, text);
}
