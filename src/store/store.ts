import type { Kysely, Transaction } from "kysely";
import type { Pool } from "pg";
import type { Database } from "./rows.ts";

export type Db = Kysely<Database>;
export type Tx = Transaction<Database>;

/** What waits for what. A notification is a hint: whoever listens also looks by itself from time to time. */
export type Channel = "delivery" | "deployment" | "cancel" | "outbox" | "log" | "event" | "connection";

export interface Subscription extends AsyncDisposable {}

/** The opened, migrated database. */
export interface Store extends AsyncDisposable {
  readonly db: Db;
  /** The pool below `db`, for pg-boss. */
  readonly pool: Pool;

  /** Runs `work` in one transaction; retries it whole on serialisation failure and deadlock (40001, 40P01), at most 3 times. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;

  /** Notifies listeners when the surrounding transaction commits (at once outside one). `payload` at most 7 KB. */
  notify(channel: Channel, payload: string, on?: Db | Tx): Promise<void>;

  /**
   * Calls `onMessage` for each notification. The connection is kept by itself: after a loss it connects and listens again, then calls
   * `onReconnect`, since notifications in between are gone.
   */
  listen(
    channel: Channel,
    onMessage: (payload: string) => void,
    onReconnect?: () => void,
  ): Promise<Subscription>;
}
