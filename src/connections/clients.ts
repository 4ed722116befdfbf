import type { Selectable } from "kysely";
import { Fault, toFault } from "../faults/fault.ts";
import type { GitLab, GitLabOptions } from "../gitlab/gitlab.ts";
import type { MachineProxies, Network } from "../gitlab/network.ts";
import type { Secret } from "../kernel/secret.ts";
import type { Place, Vault } from "../secrets/vault.ts";
import type { ConnectionTable } from "../store/rows.ts";
import type { Db } from "../store/store.ts";
import type { Logger } from "../telemetry/log.ts";
import type { OpenConnection } from "./connections.ts";
import { networkPlace, openNetwork } from "./stored-network.ts";

export type CreateGitLab = (options: GitLabOptions) => GitLab;

export interface ClientsDeps {
  readonly db: Db;
  readonly vault: Vault;
  readonly createGitLab: CreateGitLab;
  /** For connections without a proxy of their own. */
  readonly machineProxies?: MachineProxies | undefined;
  readonly log: Logger;
}

export interface Clients extends AsyncDisposable {
  open(id: string): Promise<OpenConnection>;
  drop(id: string): Promise<void>;
}

type StoredRow = Pick<
  Selectable<ConnectionTable>,
  "id" | "name" | "base_url" | "web_url" | "ca" | "network" | "token"
>;

interface Kept {
  readonly row: StoredRow;
  readonly connection: OpenConnection;
}

/** Where a connection's token is at home. The origin is authenticated with it: a row whose URL was altered does not open. */
export function tokenPlace(id: string, baseUrl: string): Place {
  return { table: "connection", row: id, column: "token", origin: new URL(baseUrl).origin };
}

/**
 * Keeps one GitLab client, with its sockets, per connection. The row is read at each `open` (one primary key, below a
 * millisecond), so that a token changed or a connection forgotten by another process is noticed at once.
 */
export function createClients(deps: ClientsDeps): Clients {
  const kept = new Map<string, Kept>();

  const dispose = async (connection: OpenConnection): Promise<void> => {
    try {
      await connection.gitlab[Symbol.asyncDispose]();
    } catch (error) {
      deps.log.warn({ connection: connection.id, error: toFault(error) }, "A GitLab client did not close");
    }
  };

  const drop = async (id: string): Promise<void> => {
    const old = kept.get(id);
    kept.delete(id);
    if (old) await dispose(old.connection);
  };

  return {
    async open(id) {
      const row = await deps.db
        .selectFrom("connection")
        .select(["id", "name", "base_url", "web_url", "ca", "network", "token"])
        .where("id", "=", id)
        .executeTakeFirst();
      if (!row) {
        await drop(id);
        throw Fault.of("NOT_FOUND", "", { message: "There is no such connection" });
      }
      const old = kept.get(id);
      if (old && isSame(old.row, row)) return old.connection;
      const connection = openRow(deps, row);
      kept.set(id, { row, connection });
      // Calls under way on the old client end by themselves: its dispose waits for them, we do not.
      if (old) void dispose(old.connection);
      return connection;
    },
    drop,
    async [Symbol.asyncDispose]() {
      await Promise.all([...kept.keys()].map(drop));
    },
  };
}

function isSame(one: StoredRow, other: StoredRow): boolean {
  return (
    one.name === other.name &&
    one.base_url === other.base_url &&
    one.web_url === other.web_url &&
    one.ca === other.ca &&
    isSameNetwork(one.network, other.network) &&
    one.token.equals(other.token)
  );
}

function openRow(deps: ClientsDeps, row: StoredRow): OpenConnection {
  const token: Secret = deps.vault.open(row.token, tokenPlace(row.id, row.base_url));
  const network: Network = {
    ...openNetwork(deps.vault, row.network, networkPlace(row.id, row.base_url)),
    ca: row.ca ?? undefined,
    machine: deps.machineProxies,
  };
  const gitlab = deps.createGitLab({ ...network, baseUrl: row.base_url, token });
  return { id: row.id, name: row.name, gitlab, token, network, webUrl: row.web_url };
}

function isSameNetwork(one: Buffer | null, other: Buffer | null): boolean {
  return one === null || other === null ? one === other : one.equals(other);
}
