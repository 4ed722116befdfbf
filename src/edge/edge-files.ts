import { join } from "node:path";

/** Where the edge keeps its things: a folder of its own in Fairlead's data directory, 0700. */
export interface EdgeFiles {
  readonly folder: string;
  readonly socket: string;
  readonly lock: string;
  readonly routes: string;
  readonly log: string;
  /** Compiled code, so that the edge is back sooner after it was killed. */
  readonly cache: string;
}

export function edgeFiles(dataDir: string): EdgeFiles {
  const folder = join(dataDir, "edge");
  return {
    folder,
    socket: join(folder, "control.sock"),
    lock: join(folder, "lock"),
    routes: join(folder, "routes.json"),
    log: join(folder, "edge.log"),
    cache: join(folder, "cache"),
  };
}
