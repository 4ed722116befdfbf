import { Fault } from "../faults/fault.ts";
import type { MachineProxies } from "../gitlab/network.ts";
import type { Vault } from "../secrets/vault.ts";
import type { Db, Store } from "../store/store.ts";
import type { Logger } from "../telemetry/log.ts";
import { createClients, type CreateGitLab } from "./clients.ts";
import { systemClock, type Clock } from "../kernel/clock.ts";
import { connect, type CheckConnection } from "./connect.ts";
import type { Connections, ConnectionView } from "./connections.ts";
import { reconnect } from "./reconnect.ts";
import { rotateToken } from "./rotate.ts";
import { suspect } from "./trouble.ts";
import { toView, VIEW_COLUMNS } from "./view.ts";
import { watchConnections } from "./watch.ts";

export interface ConnectionsDeps {
  readonly store: Store;
  readonly vault: Vault;
  readonly createGitLab: CreateGitLab;
  readonly checkConnection: CheckConnection;
  readonly machineProxies?: MachineProxies | undefined;
  readonly log: Logger;
  readonly clock?: Clock;
}

export interface RunningConnections extends Connections, AsyncDisposable {
  /** Looks after all connections until the signal aborts. */
  watch(stopping: AbortSignal): Promise<void>;
}

/** Disposing it closes the GitLab clients that were opened. */
export function createConnections(deps: ConnectionsDeps): RunningConnections {
  const { db } = deps.store;
  const clients = createClients({ ...deps, db });
  const life = { ...deps, clients, clock: deps.clock ?? systemClock };
  const get = (nameOrId: string): Promise<ConnectionView> => getConnection(db, nameOrId);
  return {
    connect: (request, signal) =>
      connect({ db, vault: deps.vault, checkConnection: deps.checkConnection }, request, signal),

    async list() {
      const rows = await db.selectFrom("connection").select(VIEW_COLUMNS).orderBy("name").execute();
      return rows.map(toView);
    },

    get,
    suspect: (id, fault) => suspect(deps.store, id, fault),

    async reconnect(nameOrId, wish, signal) {
      const { id } = await get(nameOrId);
      const result = await reconnect(life, id, wish, signal);
      return { ...result, connection: await get(id) };
    },

    async rotate(nameOrId, days) {
      const { id } = await get(nameOrId);
      await rotateToken(life, id, days);
      return get(id);
    },

    async setRotation(nameOrId, policy) {
      const { id } = await get(nameOrId);
      const columns = {
        rotate_before_days: policy?.beforeDays ?? null,
        ...(policy && { rotate_for_days: policy.forDays }),
      };
      await db.updateTable("connection").set(columns).where("id", "=", id).execute();
      return get(id);
    },

    async listEvents(nameOrId, limit) {
      const { id } = await get(nameOrId);
      return db
        .selectFrom("connection_event")
        .select(["at", "kind", "text"])
        .where("connection_id", "=", id)
        .orderBy("id", "desc")
        .limit(limit)
        .execute();
    },

    watch: (stopping) => watchConnections(life, stopping),

    open: (id) => clients.open(id),

    async forget(id) {
      await forget(db, id);
      await clients.drop(id);
    },

    [Symbol.asyncDispose]: () => clients[Symbol.asyncDispose](),
  };
}

async function getConnection(db: Db, nameOrId: string): Promise<ConnectionView> {
  const row = await db
    .selectFrom("connection")
    .select(VIEW_COLUMNS)
    .where((eb) => eb.or([eb("id", "=", nameOrId), eb("name", "=", nameOrId)]))
    .executeTakeFirst();
  if (!row) throw Fault.of("NOT_FOUND", "", { message: `There is no connection ${nameOrId}` });
  return toView(row);
}

async function forget(db: Db, id: string): Promise<void> {
  try {
    await db.deleteFrom("connection").where("id", "=", id).execute();
  } catch (error) {
    if (!isForeignKeyViolation(error)) throw error;
    throw Fault.of("CONFLICT", "in_use", {
      cause: error,
      message: "Projects are linked through this connection: unlink them first",
    });
  }
}

/** SQLSTATE 23503: rows of another table point here. */
function isForeignKeyViolation(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "23503";
}
