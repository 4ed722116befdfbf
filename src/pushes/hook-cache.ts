import type { HookSecrets } from "../apps/apps.ts";
import { openHookSecrets } from "../apps/hook-secrets.ts";
import type { Vault } from "../secrets/vault.ts";
import type { Db } from "../store/store.ts";

/** What is needed to judge a delivery without asking the database. */
export interface KnownHook {
  readonly linkedProjectId: string;
  readonly projectId: number;
  readonly signed: boolean;
  readonly secrets: HookSecrets;
  /** `performance.now()` at the read. */
  readonly readAt: number;
}

export interface HookCache {
  /** null: no row has this path. */
  find(hookPath: string): Promise<KnownHook | null>;
  /** The next `find` reads the row again. */
  forget(hookPath: string): void;
}

/** Short enough that a signing key that was just agreed with GitLab is used, long enough that a burst reads the row once. */
const KEEP_MS = 5000;
const MOST = 1000;

interface Kept {
  readonly until: number;
  readonly hook: Promise<KnownHook | null>;
}

/** Keeps rows and opened secrets of the hooks that were just called. Paths that are no hook are not kept: a stranger may send any number of them. */
export function createHookCache(db: Db, vault: Vault): HookCache {
  const kept = new Map<string, Kept>();
  const forget = (hookPath: string): void => void kept.delete(hookPath);
  return {
    async find(hookPath) {
      const known = kept.get(hookPath);
      if (known && known.until > performance.now()) return known.hook;
      const entry = { until: performance.now() + KEEP_MS, hook: readHook(db, vault, hookPath) };
      kept.delete(hookPath);
      kept.set(hookPath, entry);
      const [oldest] = kept.keys();
      if (kept.size > MOST && oldest !== undefined) kept.delete(oldest);
      try {
        const hook = await entry.hook;
        if (hook === null) forgetEntry(kept, hookPath, entry);
        return hook;
      } catch (error) {
        forgetEntry(kept, hookPath, entry);
        throw error;
      }
    },
    forget,
  };
}

function forgetEntry(kept: Map<string, Kept>, hookPath: string, entry: Kept): void {
  if (kept.get(hookPath) === entry) kept.delete(hookPath);
}

async function readHook(db: Db, vault: Vault, hookPath: string): Promise<KnownHook | null> {
  const row = await db
    .selectFrom("linked_project")
    .select(["id", "project_id", "hook_signed", "hook_secret", "hook_signing_key"])
    .where("hook_path", "=", hookPath)
    .executeTakeFirst();
  if (!row) return null;
  return {
    linkedProjectId: row.id,
    projectId: row.project_id,
    signed: row.hook_signed,
    secrets: openHookSecrets(vault, row.id, row),
    readAt: performance.now(),
  };
}
