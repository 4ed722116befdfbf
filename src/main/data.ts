import { mkdir } from "node:fs/promises";
import type { Config } from "../config.ts";
import { openStore } from "../store/open.ts";
import type { Store } from "../store/store.ts";
import type { Logger } from "../telemetry/log.ts";

/** The data directory and the database, embedded unless `DATABASE_URL` names another. `schema`: migrated only so far, for an older backup. */
export async function openData(
  config: Config,
  log: Logger,
  signal: AbortSignal,
  schema?: string,
): Promise<Store> {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  return openStore({
    connectionString: config.databaseUrl?.reveal(),
    embedded: { dataFolder: config.dataDir },
    log,
    signal,
    ...(schema === undefined ? {} : { schema }),
  });
}
