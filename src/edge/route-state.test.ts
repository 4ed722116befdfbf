import { describe, expect, it } from "vitest";
import type { Route } from "./edge.ts";
import { createRouteState } from "./route-state.ts";
import { NO_ROUTES, routesOf, type RouteTable } from "./routes.ts";

function route(host: string, generation: number): Route {
  return { host, environmentId: "env", releaseId: "rel", targets: [], generation };
}

function createState(save: (table: RouteTable) => Promise<void>) {
  const served: (readonly Route[])[] = [];
  const state = createRouteState({
    initial: NO_ROUTES,
    save,
    serve: (_, after) => void served.push(routesOf(after)),
  });
  return { state, served };
}

describe("createRouteState", () => {
  it("serves a change only when it is on disk", async () => {
    const onDisk = Promise.withResolvers<void>();
    const { state, served } = createState(() => onDisk.promise);
    const switched = state.switchRoute(route("a", 1));
    await new Promise((resolve) => setImmediate(resolve));
    expect(served).toEqual([]);
    onDisk.resolve();
    await switched;
    expect(served).toEqual([[route("a", 1)]]);
  });

  it("keeps the old routes when the disk is full, and goes on with the next change", async () => {
    let full = true;
    const { state, served } = createState(async () => {
      if (full) throw new Error("ENOSPC");
    });
    await expect(state.switchRoute(route("a", 1))).rejects.toThrow("ENOSPC");
    expect(state.routes()).toEqual([]);
    full = false;
    expect(await state.switchRoute(route("a", 1))).toEqual({ applied: true, previous: null });
    expect(served).toEqual([[route("a", 1)]]);
  });

  it("never writes two tables at once, and the last one last", async () => {
    let writing = 0;
    const written: number[] = [];
    const { state } = createState(async (table) => {
      writing += 1;
      expect(writing).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      written.push(table.entries.size);
      writing -= 1;
    });
    await Promise.all(["a", "b", "c", "d"].map((host) => state.switchRoute(route(host, 1))));
    expect(written).toEqual([1, 2, 3, 4]);
  });
});
