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

/**
 * One statement, one round trip, one commit: looks for the same delivery, stores, notifies. Named, so that each connection plans it once. The channel
 * is the one `Store.listen("delivery")` hears. Two copies that arrive at the same moment may both be received: processing
 * looks again.
 */
const STATEMENT = {
  name: "fairlead_store_delivery",
  text: `
    with judged as (
      select coalesce($8::text, case when exists (
        select from delivery where linked_project_id = $2 and dedupe_key = $4
          and (state = 'received' or verdict = 'deployed')
      ) then 'duplicate delivery' end) as ignored
    ), stored as (
      insert into delivery
        (id, linked_project_id, event, dedupe_key, headers, payload, body_bytes, state, verdict, reason, processed_at)
      select $1, $2, $3, $4, $5::jsonb, $6::jsonb, $7,
        case when ignored is null then 'received' else 'processed' end,
        case when ignored is not null then 'ignored' end,
        ignored,
        case when ignored is not null then now() end
      from judged
      returning id, reason
    )
    select reason, case when reason is null then pg_notify('fairlead_delivery', id)::text end from stored`,
} as const;

/** Throws `DATABASE_UNAVAILABLE` when the delivery could not be stored: the sender is told so. */
export async function storeDelivery(pool: Pool, delivery: NewDelivery): Promise<Stored> {
  try {
    const { rows } = await pool.query<{ reason: string | null }>({
      ...STATEMENT,
      values: [
        delivery.id,
        delivery.linkedProjectId,
        delivery.event,
        delivery.dedupeKey,
        delivery.headers,
        delivery.payload,
        delivery.bodyBytes,
        delivery.ignored,
      ],
    });
    const reason = rows[0]?.reason ?? null;
    return reason === null ? { kind: "received" } : { kind: "ignored", reason };
  } catch (error) {
    return classify(error);
  }
}

function classify(error: unknown): Stored {
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
