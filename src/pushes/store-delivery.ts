import { DatabaseError, type Pool } from "pg";
import { Fault } from "../faults/fault.ts";

export interface NewDelivery {
  readonly id: string;
  readonly linkedProjectId: string;
  readonly event: string;
  readonly dedupeKey: string | null;
  readonly headers: string;
  readonly payload: string;
  readonly bodyBytes: number;
  /** null: to be processed. */
  readonly ignored: string | null;
}

export type Stored =
  | { readonly kind: "received" }
  | { readonly kind: "ignored"; readonly reason: string }
  /** The linked project is gone: unlinked since its hook was last read. */
  | { readonly kind: "no_project" }
  /** PostgreSQL cannot hold this JSON (`\u0000`, half a surrogate pair, too deep). */
  | { readonly kind: "unstorable" };

/** A statement that says for each delivery, in any order, why it was ignored, if it was. */
export interface BatchStatement {
  readonly name: string;
  readonly text: string;
}

const COLUMNS = ["text", "text", "text", "text", "jsonb", "jsonb", "integer", "text"] as const;

/**
 * One statement, one commit: looks for the same delivery, stores, notifies. Named by its number of rows, so that each connection plans it
 * once. The channel is the one `Store.listen("delivery")` hears. Two copies that arrive at the same moment may both be received:
 * processing looks again.
 */
export function batchStatement(rows: number): BatchStatement {
  const values = Array.from({ length: rows }, (_, row) => {
    const places = COLUMNS.map((type, column) => `$${row * COLUMNS.length + column + 1}::${type}`);
    return `(${places.join(", ")})`;
  });
  return {
    name: `fairlead_store_delivery_${rows}`,
    text: `
      with given (id, project, event, key, headers, payload, bytes, ignored) as (values ${values.join(", ")}),
      judged as (
        select given.*, coalesce(ignored, case when exists (
          select from delivery where linked_project_id = project and dedupe_key = key
            and (state = 'received' or verdict = 'deployed')
        ) then 'duplicate delivery' end) as why
        from given
      ), stored as (
        insert into delivery
          (id, linked_project_id, event, dedupe_key, headers, payload, body_bytes, state, verdict, reason, processed_at)
        select id, project, event, key, headers, payload, bytes,
          case when why is null then 'received' else 'processed' end,
          case when why is not null then 'ignored' end,
          why,
          case when why is not null then now() end
        from judged
        returning id, reason
      )
      select id, reason, case when reason is null then pg_notify('fairlead_delivery', id)::text end from stored`,
  };
}

/** Stores all or none. Throws what PostgreSQL throws. */
export async function storeBatch(
  pool: Pool,
  statement: BatchStatement,
  deliveries: readonly NewDelivery[],
): Promise<ReadonlyMap<string, Stored>> {
  const values = deliveries.flatMap((one) => [
    one.id,
    one.linkedProjectId,
    one.event,
    one.dedupeKey,
    one.headers,
    one.payload,
    one.bodyBytes,
    one.ignored,
  ]);
  const { rows } = await pool.query<{ id: string; reason: string | null }>({ ...statement, values });
  return new Map(
    rows.map(({ id, reason }) => [id, reason === null ? { kind: "received" } : { kind: "ignored", reason }]),
  );
}

/** What a single delivery's error says about it. Throws `DATABASE_UNAVAILABLE` when it says something about the database. */
export function classifyStoreError(error: unknown): Stored {
  const code = error instanceof DatabaseError ? (error.code ?? "") : "";
  if (code === "23503") return { kind: "no_project" };
  // 22: data exceptions (22P05 is an escape that jsonb cannot hold); 54: program limits (54001 is nesting)
  if (code.startsWith("22") || code.startsWith("54")) return { kind: "unstorable" };
  throw Fault.of("DATABASE_UNAVAILABLE", "", {
    cause: error,
    retryable: true,
    message: "The delivery could not be stored",
  });
}
