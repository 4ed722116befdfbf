import type { Route, SwitchResult } from "./edge.ts";
import { routesOf, withRemoval, withReplacement, withSwitch, type RouteTable } from "./routes.ts";

export interface RouteState {
  switchRoute(route: Route): Promise<SwitchResult>;
  removeRoute(host: string, generation: number): Promise<void>;
  replaceRoutes(all: readonly Route[], generation: number): Promise<void>;
  routes(): readonly Route[];
  /** Resolves when every change that was asked for is done. */
  settled(): Promise<void>;
}

/**
 * Changes happen one after the other: decide, put on disk, then serve. A change that could not be put on disk throws and is
 * not served.
 */
export function createRouteState(options: {
  readonly initial: RouteTable;
  readonly save: (table: RouteTable) => Promise<void>;
  /** Makes the table what requests are answered from, at once. */
  readonly serve: (before: RouteTable, after: RouteTable) => void;
}): RouteState {
  let table = options.initial;
  let last: Promise<unknown> = Promise.resolve();

  const change = <T>(decide: (table: RouteTable) => { table: RouteTable; result: T }): Promise<T> => {
    const work = async (): Promise<T> => {
      const next = decide(table);
      if (next.table !== table) {
        await options.save(next.table);
        const before = table;
        table = next.table;
        options.serve(before, table);
      }
      return next.result;
    };
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };

  return {
    switchRoute: (route) => change((held) => withSwitch(held, route)),
    removeRoute: (host, generation) =>
      change((held) => ({ table: withRemoval(held, host, generation), result: undefined })),
    replaceRoutes: (all, generation) =>
      change((held) => ({ table: withReplacement(held, all, generation), result: undefined })),
    routes: () => routesOf(table),
    settled: async () => {
      await last;
    },
  };
}
