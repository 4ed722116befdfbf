import { Fault } from "../faults/fault.ts";
import type { MachineProxies } from "../gitlab/network.ts";
import type { Vault } from "../secrets/vault.ts";
import type { Db, Store } from "../store/store.ts";
import type { Logger } from "../telemetry/log.ts";
import { createClients, type CreateGitLab } from "./clients.ts";
import { connect, type CheckConnection } from "./connect.ts";
import type { Connections } from "./connections.ts";
import { toView, VIEW_COLUMNS } from "./view.ts";

export interface ConnectionsDeps {
  readonly store: Store;
  readonly vault: Vault;
  readonly createGitLab: CreateGitLab;
  readonly checkConnection: CheckConnection;
  readonly machineProxies?: MachineProxies | undefined;
  readonly log: Logger;
}

/** Disposing it closes the GitLab clients that were opened. */
export function createConnections(deps: ConnectionsDeps): Connections & AsyncDisposable {
  const { db } = deps.store;
  const clients = createClients({ ...deps, db });
  return {
    connect: (request, signal) =>
      connect({ db, vault: deps.vault, checkConnection: deps.checkConnection }, request, signal),

    async list() {
      const rows = await db.selectFrom("connection").select(VIEW_COLUMNS).orderBy("name").execute();
      return rows.map(toView);
    },

    async get(nameOrId) {
      const row = await db
        .selectFrom("connection")
        .select(VIEW_COLUMNS)
        .where((eb) => eb.or([eb("id", "=", nameOrId), eb("name", "=", nameOrId)]))
        .executeTakeFirst();
      if (!row) throw Fault.of("NOT_FOUND", "", { message: `There is no connection ${nameOrId}` });
      return toView(row);
    },

    open: (id) => clients.open(id),

    async forget(id) {
      await forget(db, id);
      await clients.drop(id);
    },

    [Symbol.asyncDispose]: () => clients[Symbol.asyncDispose](),
  };
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
