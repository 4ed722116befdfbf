import { readFile, rename } from "node:fs/promises";
import { writeFileAtomic } from "../kernel/atomic-file.ts";
import type { Entry, RouteTable } from "./routes.ts";
import { NO_ROUTES } from "./routes.ts";
import { InvalidInput, parseFields, parseInteger, parseList, parseRoute, parseText } from "./wire.ts";

const VERSION = 1;

export interface LoadedRoutes {
  readonly table: RouteTable;
  /** Where an unusable file was put aside; the edge then starts empty until the control plane replaces all routes. */
  readonly putAside: { readonly path: string; readonly cause: string } | null;
}

/** Reads the routes of the last run. A file that cannot be read at all (rights, disk) throws: it must not be overwritten. */
export async function loadRoutes(path: string): Promise<LoadedRoutes> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return { table: NO_ROUTES, putAside: null };
    }
    throw error;
  }
  try {
    return { table: parseTable(JSON.parse(text)), putAside: null };
  } catch (error) {
    if (!(error instanceof InvalidInput || error instanceof SyntaxError)) throw error;
    const aside = `${path}.broken-${Date.now()}`;
    await rename(path, aside);
    return { table: NO_ROUTES, putAside: { path: aside, cause: error.message } };
  }
}

/** After it returns the table survives a crash. Throws the file system's error; the old file is then untouched. */
export async function saveRoutes(path: string, table: RouteTable): Promise<void> {
  const routes = Array.from(table.entries.values(), (entry) => ({
    ...entry.route,
    previous: entry.previous,
  }));
  const removed = Array.from(table.removed, ([host, generation]) => ({ host, generation }));
  await writeFileAtomic(path, `${JSON.stringify({ version: VERSION, routes, removed })}\n`);
}

function parseTable(value: unknown): RouteTable {
  const fields = parseFields(value);
  parseInteger(fields, "version", VERSION, VERSION);
  const entries = new Map<string, Entry>();
  for (const item of parseList(fields, "routes")) {
    const { previous } = parseFields(item);
    const route = parseRoute(item);
    if (entries.has(route.host)) throw new InvalidInput(`two routes of ${route.host}`);
    entries.set(route.host, { route, previous: previous === null ? null : parseRoute(previous) });
  }
  const removed = new Map<string, number>();
  for (const item of parseList(fields, "removed")) {
    const removal = parseFields(item);
    removed.set(parseText(removal, "host"), parseInteger(removal, "generation", 0, Number.MAX_SAFE_INTEGER));
  }
  return { entries, removed };
}
