import type { Route, SwitchResult } from "./edge.ts";

export interface Entry {
  readonly route: Route;
  /** What this route took the place of: a switch that is repeated, because its answer was lost, gets the same answer. */
  readonly previous: Route | null;
}

/** Everything the edge remembers. Never changed in place: a request in flight sees one table. */
export interface RouteTable {
  readonly entries: ReadonlyMap<string, Entry>;
  /** Removed hosts with the generation of their removal: a worker that wakes up late must not bring them back. */
  readonly removed: ReadonlyMap<string, number>;
}

export const NO_ROUTES: RouteTable = { entries: new Map(), removed: new Map() };

/** Previews come and go; the newest removals are those that a late worker can still collide with. */
const KEPT_REMOVALS = 1000;

/** `table` is the very same object when nothing changes. */
export function withSwitch(
  table: RouteTable,
  route: Route,
): { readonly table: RouteTable; readonly result: SwitchResult } {
  const held = table.entries.get(route.host);
  if (held && sameRoute(held.route, route)) {
    return { table, result: { applied: true, previous: held.previous } };
  }
  const previous = held?.route ?? null;
  const newest = Math.max(previous?.generation ?? -1, table.removed.get(route.host) ?? -1);
  if (route.generation <= newest) return { table, result: { applied: false, previous } };
  const entries = new Map(table.entries).set(route.host, { route, previous });
  const removed = new Map(table.removed);
  removed.delete(route.host);
  return { table: { entries, removed }, result: { applied: true, previous } };
}

export function withRemoval(table: RouteTable, host: string, generation: number): RouteTable {
  const held = table.entries.get(host);
  if (held && held.route.generation > generation) return table;
  if (!held && (table.removed.get(host) ?? -1) >= generation) return table;
  const entries = new Map(table.entries);
  entries.delete(host);
  return { entries, removed: newestRemovals(new Map(table.removed).set(host, generation)) };
}

export function withReplacement(table: RouteTable, all: readonly Route[], generation: number): RouteTable {
  const entries = new Map([...table.entries].filter(([, entry]) => entry.route.generation > generation));
  const removed = new Map(table.removed);
  for (const route of all) {
    const removal = removed.get(route.host) ?? -1;
    const newer = Math.max(
      entries.get(route.host)?.route.generation ?? -1,
      removal > generation ? removal : -1,
    );
    if (route.generation > newer) entries.set(route.host, entryOf(route, table.entries.get(route.host)));
  }
  for (const host of table.entries.keys()) if (!entries.has(host)) removed.set(host, generation);
  for (const host of entries.keys()) removed.delete(host);
  return { entries, removed: newestRemovals(removed) };
}

function entryOf(route: Route, held: Entry | undefined): Entry {
  return held && sameRoute(held.route, route) ? held : { route, previous: held?.route ?? null };
}

export function routesOf(table: RouteTable): readonly Route[] {
  return Array.from(table.entries.values(), (entry) => entry.route);
}

export function sameRoute(a: Route, b: Route): boolean {
  return (
    a.host === b.host &&
    a.environmentId === b.environmentId &&
    a.releaseId === b.releaseId &&
    a.generation === b.generation &&
    a.targets.length === b.targets.length &&
    a.targets.every((target, i) => target.host === b.targets[i]?.host && target.port === b.targets[i]?.port)
  );
}

function newestRemovals(removed: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  if (removed.size <= KEPT_REMOVALS) return removed;
  return new Map([...removed].sort((a, b) => b[1] - a[1]).slice(0, KEPT_REMOVALS));
}
