import { sql } from "kysely";
import { Fault } from "../faults/fault.ts";
import { sleep } from "../kernel/clock.ts";
import type { Db, Store } from "../store/store.ts";

/** Locks of Fairlead's own in PostgreSQL's space of advisory locks. */
const LOCK_SPACE = "fairlead:project:";

/** One GitLab project on one connection, linked or not yet. */
export function projectKey(connectionId: string, projectId: number): string {
  return `${connectionId}/${projectId}`;
}

export type Attempt<T> = { readonly locked: true; readonly result: T } | { readonly locked: false };

/**
 * Runs `work` while this process alone, of all processes on this database, holds the project: linking, unlinking and reading a branch head
 * exclude each other. The lock belongs to one database connection, handed to `work`, and goes with it: after a crash nothing
 * is left locked. `locked: false`: somebody else holds it.
 */
export async function tryProjectLock<T>(
  store: Store,
  key: string,
  work: (db: Db) => Promise<T>,
): Promise<Attempt<T>> {
  return store.db.connection().execute(async (db) => {
    const name = LOCK_SPACE + key;
    const taken = await sql<{ locked: boolean }>`
      select pg_try_advisory_lock(hashtextextended(${name}, 0)) as locked`.execute(db);
    if (taken.rows[0]?.locked !== true) return { locked: false };
    try {
      return { locked: true, result: await work(db) };
    } finally {
      await sql`select pg_advisory_unlock(hashtextextended(${name}, 0))`.execute(db);
    }
  });
}

/** Like `tryProjectLock`, but waits its turn. Holds no database connection while it waits. Throws `CONFLICT` after `waitMs`. */
export async function withProjectLock<T>(
  store: Store,
  key: string,
  options: { readonly waitMs: number; readonly signal?: AbortSignal | undefined },
  work: (db: Db) => Promise<T>,
): Promise<T> {
  const giveUpAt = performance.now() + options.waitMs;
  for (;;) {
    const attempt = await tryProjectLock(store, key, work);
    if (attempt.locked) return attempt.result;
    if (performance.now() >= giveUpAt) {
      throw Fault.of("CONFLICT", "in_use", {
        retryable: true,
        message: "Somebody else is linking or unlinking this project at this moment",
      });
    }
    await sleep(50 + Math.random() * 100, options.signal);
  }
}
