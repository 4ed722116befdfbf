import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { layoutOf } from "./folders.ts";
import { MAJOR } from "./binaries.ts";
import { connectionString, DATABASE } from "./settings.ts";

/** The fifth line of PostgreSQL's own lock file is its (first) socket folder, the first one its process id. */
const SOCKET_LINE = 4;

/** The address of the embedded server that runs for this data folder, started by another Fairlead; null when none does. */
export async function findRunningDatabase(dataFolder: string): Promise<string | null> {
  const path = join(layoutOf(dataFolder, MAJOR).cluster, "postmaster.pid");
  const lines = await readFile(path, "utf8").then(
    (text) => text.split("\n"),
    () => [],
  );
  const [pid, sockets] = [Number(lines[0]), lines[SOCKET_LINE]];
  return sockets && isAlive(pid) ? connectionString(sockets, DATABASE) : null;
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
