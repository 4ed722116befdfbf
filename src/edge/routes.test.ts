import { assert as check, integer, property, uniqueArray } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Route } from "./edge.ts";
import { NO_ROUTES, routesOf, withRemoval, withReplacement, withSwitch, type RouteTable } from "./routes.ts";

function route(host: string, generation: number, releaseId = `rel_${generation}`): Route {
  return { host, environmentId: "env", releaseId, targets: [{ host: "127.0.0.1", port: 1 }], generation };
}

function tableOf(...routes: Route[]): RouteTable {
  return routes.reduce((table, each) => withSwitch(table, each).table, NO_ROUTES);
}

describe("withSwitch", () => {
  it("keeps the very same table when a switch is repeated, so that nothing is written", () => {
    const table = tableOf(route("a", 1), route("a", 2));
    const again = withSwitch(table, route("a", 2));
    expect(again.table).toBe(table);
    expect(again.result).toEqual({ applied: true, previous: route("a", 1) });
  });

  it.each([
    ["a target", { targets: [{ host: "127.0.0.1", port: 2 }] }],
    [
      "a further target",
      {
        targets: [
          { host: "127.0.0.1", port: 1 },
          { host: "127.0.0.1", port: 2 },
        ],
      },
    ],
    ["an environment", { environmentId: "other" }],
    ["a release", { releaseId: "other" }],
  ])("takes an equal generation with another %s for another route", (_, change) => {
    const table = tableOf(route("a", 2));
    expect(withSwitch(table, { ...route("a", 2), ...change })).toEqual({
      table,
      result: { applied: false, previous: route("a", 2) },
    });
  });

  it("holds the highest generation of each host in whatever order they come", () => {
    const generations = uniqueArray(integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 20 });
    check(
      property(generations, (order) => {
        const table = tableOf(...order.map((generation) => route("a", generation)));
        expect(routesOf(table)).toEqual([route("a", Math.max(...order))]);
      }),
    );
  });
});

describe("withRemoval", () => {
  it("lets nothing up to its generation come back", () => {
    const table = withRemoval(tableOf(route("a", 3)), "a", 5);
    expect(withSwitch(table, route("a", 5)).result).toEqual({ applied: false, previous: null });
    expect(withSwitch(table, route("a", 6)).result).toEqual({ applied: true, previous: null });
  });

  it("changes nothing for a newer route, and nothing the second time", () => {
    const newer = tableOf(route("a", 6));
    expect(withRemoval(newer, "a", 5)).toBe(newer);
    const removed = withRemoval(newer, "a", 6);
    expect(withRemoval(removed, "a", 6)).toBe(removed);
    expect(withRemoval(removed, "a", 2)).toBe(removed);
  });

  it("remembers a bounded number of removals, the newest", () => {
    let table = NO_ROUTES;
    for (let i = 1; i <= 1200; i++) table = withRemoval(table, `host-${i}`, i);
    expect(table.removed.size).toBe(1000);
    expect(table.removed.get("host-1200")).toBe(1200);
    expect(table.removed.has("host-200")).toBe(false);
  });
});

describe("withReplacement", () => {
  it("makes the given routes all there is, even of lower generations", () => {
    const table = withReplacement(tableOf(route("a", 8), route("b", 3)), [route("a", 7)], 10);
    expect(routesOf(table)).toEqual([route("a", 7)]);
    expect(withSwitch(table, route("b", 9)).result.applied).toBe(false);
  });

  it("keeps what is newer: routes and removals", () => {
    const held = withRemoval(tableOf(route("a", 12), route("b", 11)), "b", 13);
    const table = withReplacement(held, [route("a", 9), route("b", 9), route("c", 9)], 10);
    expect(routesOf(table)).toEqual([route("a", 12), route("c", 9)]);
  });

  it("takes the highest of two routes of one host", () => {
    const table = withReplacement(NO_ROUTES, [route("a", 12), route("a", 14), route("a", 13)], 10);
    expect(routesOf(table)).toEqual([route("a", 14)]);
  });

  it("keeps what an unchanged route took the place of", () => {
    const table = withReplacement(tableOf(route("a", 1), route("a", 2)), [route("a", 2)], 10);
    expect(withSwitch(table, route("a", 2)).result.previous).toEqual(route("a", 1));
  });
});
