import { sql } from "kysely";
import { z } from "zod";
import { Fault } from "../faults/fault.ts";
import { newId } from "../kernel/ids.ts";
import type { Db, Store } from "../store/store.ts";
import type { DeliveryView } from "./pushes.ts";

interface DeliveryRow {
  readonly id: string;
  readonly project: string;
  readonly receivedAt: Date;
  readonly event: string;
  readonly ref: string | null;
  readonly state: "received" | "processed";
  readonly verdict: "deployed" | "ignored" | "failed" | null;
  readonly reason: string | null;
  readonly trace: unknown;
  readonly deployments: string[];
  readonly processedAt: Date | null;
}

const traceSchema = z.array(z.string()).catch([]);

/** Everything but the payload, which may be a megabyte. */
const COLUMNS = sql`
  delivery.id, linked_project.path as project, delivery.received_at as "receivedAt", delivery.event,
  delivery.payload ->> 'ref' as ref, delivery.state, delivery.verdict, delivery.reason, delivery.trace,
  delivery.processed_at as "processedAt",
  array(select deployment.id from deployment where deployment.delivery_id = delivery.id order by deployment.number) as deployments`;

/** Newest first. Throws `NOT_FOUND` for an app that is not there. */
export async function listDeliveries(db: Db, app: string, limit: number): Promise<readonly DeliveryView[]> {
  const linked = await db
    .selectFrom("app")
    .select("linked_project_id")
    .where((eb) => eb.or([eb("id", "=", app), eb("name", "=", app)]))
    .executeTakeFirst();
  if (!linked) throw Fault.of("NOT_FOUND", "", { message: `There is no app ${app}` });
  const rows = await sql<DeliveryRow>`
    select ${COLUMNS}
    from delivery join linked_project on linked_project.id = delivery.linked_project_id
    where delivery.linked_project_id = ${linked.linked_project_id}
    order by delivery.received_at desc, delivery.id desc
    limit ${Math.max(1, Math.min(Math.trunc(limit) || 1, 1000))}`.execute(db);
  return rows.rows.map(toView);
}

/** Throws `NOT_FOUND`. */
export async function getDelivery(db: Db, id: string): Promise<DeliveryView> {
  const rows = await sql<DeliveryRow>`
    select ${COLUMNS}
    from delivery join linked_project on linked_project.id = delivery.linked_project_id
    where delivery.id = ${id}`.execute(db);
  const [row] = rows.rows;
  if (!row) throw Fault.of("NOT_FOUND", "", { message: `There is no delivery ${id}` });
  return toView(row);
}

/** A copy that is processed as if it had just come, without the key by which it would be a duplicate. Throws `NOT_FOUND`. */
export async function replayDelivery(store: Store, id: string): Promise<DeliveryView> {
  const copy = newId("dlv");
  await store.transaction(async (tx) => {
    const stored = await sql`
      insert into delivery (id, linked_project_id, event, headers, payload, body_bytes, trace)
      select ${copy}, linked_project_id, event, headers, payload, body_bytes,
        jsonb_build_array('Replay of ' || id)
      from delivery where id = ${id}`.execute(tx);
    if (stored.numAffectedRows !== 1n) {
      throw Fault.of("NOT_FOUND", "", { message: `There is no delivery ${id}` });
    }
    await store.notify("delivery", copy, tx);
  });
  return getDelivery(store.db, copy);
}

function toView(row: DeliveryRow): DeliveryView {
  return { ...row, trace: traceSchema.parse(row.trace) };
}
