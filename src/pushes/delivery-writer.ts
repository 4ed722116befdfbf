import type { Pool } from "pg";
import { toError } from "../kernel/clock.ts";
import {
  batchStatement,
  classifyStoreError,
  storeBatch,
  type BatchStatement,
  type NewDelivery,
  type Stored,
} from "./store-delivery.ts";

/** Resolves once the delivery is committed. Throws `DATABASE_UNAVAILABLE`. */
export type DeliveryWriter = (delivery: NewDelivery) => Promise<Stored>;

/** Deliveries in one statement at most, and characters of their payloads. */
const MOST_ROWS = 32;
const MOST_TEXT = 4 * 1024 * 1024;
/** Statements at once: one commits while the next is filled. */
const AT_ONCE = 2;

interface Waiting {
  readonly delivery: NewDelivery;
  readonly resolve: (stored: Stored) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A delivery that comes alone is written at once. Those that come while others are being written share the next statement: PostgreSQL lets
 * transactions that notify commit only one after another, so that a commit for each would hold up a burst (measured: three times
 * the deliveries/s with 64 at once).
 */
export function createDeliveryWriter(pool: Pool): DeliveryWriter {
  const queue: Waiting[] = [];
  const statements = new Map<number, BatchStatement>();
  let running = 0;

  const write = async (batch: readonly Waiting[]): Promise<void> => {
    const statement = statements.get(batch.length) ?? batchStatement(batch.length);
    statements.set(batch.length, statement);
    try {
      const stored = await storeBatch(
        pool,
        statement,
        batch.map((one) => one.delivery),
      );
      for (const { delivery, resolve, reject } of batch) {
        const result = stored.get(delivery.id);
        if (result) resolve(result);
        else reject(new Error("the statement gave no answer for a delivery"));
      }
    } catch (error) {
      if (batch.length > 1) await Promise.all(batch.map((one) => write([one]))); // one bad row fails its batch, not its neighbours
      else for (const one of batch) settleFailed(one, error);
    }
  };

  const pump = (): void => {
    while (running < AT_ONCE && queue.length > 0) {
      running++;
      void write(takeBatch(queue)).finally(() => {
        running--;
        pump();
      });
    }
  };

  return (delivery) =>
    new Promise((resolve, reject) => {
      queue.push({ delivery, resolve, reject });
      pump();
    });
}

function settleFailed({ resolve, reject }: Waiting, error: unknown): void {
  try {
    resolve(classifyStoreError(error));
  } catch (fault) {
    reject(toError(fault));
  }
}

/** The longest waiting, at least one, as many as fit. */
function takeBatch(queue: Waiting[]): readonly Waiting[] {
  let text = 0;
  let rows = 0;
  for (const { delivery } of queue) {
    text += delivery.payload.length;
    if (rows > 0 && (rows >= MOST_ROWS || text > MOST_TEXT)) break;
    rows++;
  }
  return queue.splice(0, rows);
}
