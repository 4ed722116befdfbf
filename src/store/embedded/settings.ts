/** The role and the database that Fairlead uses in its own server. */
export const ROLE = "fairlead";
export const DATABASE = "fairlead";
/** Makes those two and is used for nothing else. */
export const SUPERUSER = "postgres";

/** Names the socket: PostgreSQL calls it `.s.PGSQL.5432`. */
const PORT = "5432";

/**
 * How to reach `database` over the socket in `folder`. Only who may enter the folder can. Port and encryption are said, because `pg` would take them
 * from the PGPORT and PGSSLMODE of the person's shell.
 */
export function connectionString(folder: string, database: string, role: string = ROLE): string {
  return `postgresql:///${database}?host=${encodeURIComponent(folder)}&port=${PORT}&user=${role}&sslmode=disable`;
}

/**
 * For one application on a small machine: 10 processes would be 30 MB, without the I/O workers (`io_method`) and the replication
 * launcher it is 4 fewer. Durability is never traded: fsync and synchronous_commit stay on.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "",
  port: PORT,
  unix_socket_permissions: "0700",
  max_connections: "60",
  shared_buffers: "24MB",
  huge_pages: "off",
  work_mem: "4MB",
  maintenance_work_mem: "32MB",
  io_method: "sync",
  max_worker_processes: "2",
  max_parallel_workers: "0",
  max_parallel_workers_per_gather: "0",
  max_logical_replication_workers: "0",
  wal_level: "minimal",
  max_wal_senders: "0",
  min_wal_size: "32MB",
  max_wal_size: "256MB",
  autovacuum_max_workers: "1",
  autovacuum_worker_slots: "2",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  // what the server does, not what statements say: those hold data, and their errors reach the caller anyway
  log_min_messages: "log",
  log_min_error_statement: "panic",
  log_checkpoints: "off",
  log_line_prefix: "%m [%p] ",
};

export interface ServerPaths {
  readonly data: string;
  readonly sockets: string;
  /** Shown in process titles; also how leftovers are recognised. At most 63 characters. */
  readonly cluster: string;
}

/** The words of the `postgres` program. `extra` settings win. */
export function serverArguments(paths: ServerPaths, extra: Readonly<Record<string, string>> = {}): string[] {
  const settings = {
    ...SETTINGS,
    unix_socket_directories: paths.sockets,
    cluster_name: paths.cluster,
    ...extra,
  };
  return [
    "-D",
    paths.data,
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
}

/** The words of `initdb`. The locale is PostgreSQL's own: libc's and ICU's change order with the machine's packages. */
export function initdbArguments(data: string): string[] {
  return [
    `--pgdata=${data}`,
    `--username=${SUPERUSER}`,
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--auth-local=trust",
    "--auth-host=reject",
    "--no-instructions",
  ];
}
