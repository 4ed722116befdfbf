import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ask, openRaw, startApp, websocketRequest, type TestApp } from "../../test/support/edge-apps.ts";
import type { Edge, Route } from "./edge.ts";

export interface EdgeUnderTest extends AsyncDisposable {
  readonly edge: Edge;
  /** Ends the edge as a power cut would; it is back when this resolves. */
  crash(): Promise<void>;
}

/** The contract of `edge.ts`, for every adapter. `make` gives a fresh edge without routes. */
export function describeEdge(name: string, make: () => Promise<EdgeUnderTest>): void {
  describe(`${name}: routes`, () => {
    it("answers with the new targets when a switch has returned", async () => {
      await using under = await make();
      await using one = await startApp("one");
      await using two = await startApp("two");
      const address = await under.edge.address();
      expect((await ask(address, "a.test")).status).toBe(404);

      const first = route({ app: one, generation: 1 });
      expect(await under.edge.switchRoute(first)).toEqual({ applied: true, previous: null });
      expect((await ask(address, "a.test")).body).toBe("one");

      const second = route({ app: two, generation: 2 });
      expect(await under.edge.switchRoute(second)).toEqual({ applied: true, previous: first });
      expect((await ask(address, "a.test")).body).toBe("two");
      expect((await ask(address, "b.test")).status).toBe(404);
      expect(await under.edge.routes()).toEqual([second]);
    });

    it("gives a repeated switch the same answer", async () => {
      await using under = await make();
      const first = route({ generation: 1 });
      const second = route({ generation: 2, releaseId: "rel_2" });
      await under.edge.switchRoute(first);
      await under.edge.switchRoute(second);
      expect(await under.edge.switchRoute(second)).toEqual({ applied: true, previous: first });
      await under.crash();
      expect(await under.edge.switchRoute(second)).toEqual({ applied: true, previous: first });
    });

    it("refuses a lower generation, and an equal one with other content", async () => {
      await using under = await make();
      const held = route({ generation: 5 });
      await under.edge.switchRoute(held);
      const refused = { applied: false, previous: held };
      expect(await under.edge.switchRoute(route({ generation: 4, releaseId: "late" }))).toEqual(refused);
      expect(await under.edge.switchRoute(route({ generation: 5, releaseId: "other" }))).toEqual(refused);
      expect(await under.edge.routes()).toEqual([held]);
    });

    it("ends at the highest generation however calls are interleaved", async () => {
      await using under = await make();
      const generations = Array.from({ length: 40 }, (_, i) => ((i * 17) % 40) + 1);
      await Promise.all(
        generations.map((generation) =>
          under.edge.switchRoute(route({ generation, releaseId: `rel_${generation}` })),
        ),
      );
      expect(await under.edge.routes()).toEqual([route({ generation: 40, releaseId: "rel_40" })]);
    });

    it("removes a host unless it holds a higher generation, and does not let a late switch bring it back", async () => {
      await using under = await make();
      await under.edge.switchRoute(route({ generation: 5 }));
      await under.edge.removeRoute("a.test", 4);
      expect(await under.edge.routes()).toHaveLength(1);
      await under.edge.removeRoute("a.test", 6);
      await under.edge.removeRoute("a.test", 6);
      await under.edge.removeRoute("never.test", 6);
      expect(await under.edge.routes()).toEqual([]);
      expect(await under.edge.switchRoute(route({ generation: 6 }))).toEqual({
        applied: false,
        previous: null,
      });
      await under.crash();
      expect(await under.edge.switchRoute(route({ generation: 6 }))).toEqual({
        applied: false,
        previous: null,
      });
      expect(await under.edge.switchRoute(route({ generation: 7 }))).toEqual({
        applied: true,
        previous: null,
      });
    });

    it("replaces all routes but newer ones", async () => {
      await using under = await make();
      const old = route({ host: "old.test", generation: 3 });
      const newer = route({ host: "newer.test", generation: 12 });
      const kept = route({ host: "kept.test", generation: 4 });
      for (const each of [old, newer, kept]) await under.edge.switchRoute(each);
      const wanted = [
        kept,
        route({ host: "added.test", generation: 9 }),
        route({ host: "newer.test", generation: 2 }),
      ];
      await under.edge.replaceRoutes(wanted, 10);
      const hosts = (await under.edge.routes()).map((each) => `${each.host} ${each.generation}`).sort();
      expect(hosts).toEqual(["added.test 9", "kept.test 4", "newer.test 12"]);
    });

    it("keeps what it acknowledged through a crash right after", async () => {
      await using under = await make();
      for (let generation = 1; generation <= 5; generation++) {
        await under.edge.switchRoute(route({ generation, releaseId: `rel_${generation}` }));
        await under.crash();
        expect((await under.edge.routes())[0]?.releaseId).toBe(`rel_${generation}`);
      }
    });

    it("refuses a host that no request can have", async () => {
      await using under = await make();
      for (const host of ["A.test", "a.test:80", "a.test.", "a b", "", "a.test/x", "ünïcode.test"]) {
        const refusal = { code: "BAD_REQUEST" };
        await expect(under.edge.switchRoute(route({ host, generation: 1 }))).rejects.toMatchObject(refusal);
      }
      expect(await under.edge.routes()).toEqual([]);
    });
  });

  describe(`${name}: switching`, () => {
    it("fails no request in 50 switches under load, each old target stopping after its drain", async () => {
      await using under = await make();
      const address = await under.edge.address();
      let app = await startSlowApp("1");
      await under.edge.switchRoute(route({ app, generation: 1 }));
      const load = startLoad(
        () => ask(address, "a.test"),
        (agent) => ask(address, "a.test", { agent }),
      );
      const stopping: Promise<void>[] = [];
      for (let generation = 2; generation <= 51; generation++) {
        const old = app;
        app = await startSlowApp(String(generation));
        await under.edge.switchRoute(route({ app, generation, releaseId: `rel_${generation}` }));
        stopping.push(drainAndStop(under.edge, old));
        await sleep(20);
      }
      await Promise.all(stopping);
      const { failures, answered } = await load.end();
      expect(failures).toEqual([]);
      expect(answered).toBeGreaterThan(100); // two a switch at least: there was load, however busy the machine is
      expect((await ask(address, "a.test")).body).toBe("51");
      await app[Symbol.asyncDispose]();
    });

    it("lets a request on the old target end, and drains when it has", async () => {
      await using under = await make();
      const address = await under.edge.address();
      const release = Promise.withResolvers<void>();
      await using slow = await startApp("slow", (_, response) => {
        response.write("begin ");
        void release.promise.then(() => response.end("end"));
      });
      await using next = await startApp("next");
      await under.edge.switchRoute(route({ app: slow, generation: 1 }));
      const answer = ask(address, "a.test");
      await expect.poll(() => slow.seen.length).toBe(1);
      await under.edge.switchRoute(route({ app: next, generation: 2 }));
      expect(await under.edge.drain(slow.target, 1200)).toEqual({ drained: false });
      const drained = under.edge.drain(slow.target, 10_000);
      release.resolve();
      expect((await answer).body).toBe("begin end");
      expect(await drained).toEqual({ drained: true });
    });

    it("drains a second after the switch at the earliest, and never what is still routed", async () => {
      await using under = await make();
      await using one = await startApp("one");
      await using two = await startApp("two");
      await under.edge.switchRoute(route({ app: one, generation: 1 }));
      expect(await under.edge.drain(one.target, 1300)).toEqual({ drained: false });
      const since = performance.now();
      await under.edge.switchRoute(route({ app: two, generation: 2 }));
      expect(await under.edge.drain(one.target, 5000)).toEqual({ drained: true });
      expect(performance.now() - since).toBeGreaterThan(990);
      expect(performance.now() - since).toBeLessThan(3000);
    });

    it("keeps no idle connection to a target that is no longer routed", async () => {
      await using under = await make();
      await using one = await startApp("one");
      await using two = await startApp("two");
      await under.edge.switchRoute(route({ app: one, generation: 1 }));
      await ask(await under.edge.address(), "a.test");
      expect(one.connections.size).toBe(1);
      await under.edge.switchRoute(route({ app: two, generation: 2 }));
      await expect.poll(() => one.connections.size, { timeout: 1000 }).toBe(0);
    });

    it("carries a websocket over a switch and counts it as under way", async () => {
      await using under = await make();
      await using one = await startApp("one");
      await using two = await startApp("two");
      await under.edge.switchRoute(route({ app: one, generation: 1 }));
      await using client = await openRaw(await under.edge.address(), websocketRequest("a.test"));
      expect(await client.until("hi")).toContain("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
      await under.edge.switchRoute(route({ app: two, generation: 2 }));
      expect(await under.edge.drain(one.target, 1200)).toEqual({ drained: false });
      client.socket.write("ping");
      await client.until("hiping");
      client.socket.destroy();
      expect(await under.edge.drain(one.target, 5000)).toEqual({ drained: true });
    });
  });
}

function route(facts: Partial<Route> & { readonly generation: number; readonly app?: TestApp }): Route {
  const { app, ...rest } = facts;
  return {
    host: "a.test",
    environmentId: "env_1",
    releaseId: "rel_1",
    targets: [app?.target ?? { host: "127.0.0.1", port: 9 }],
    ...rest,
  };
}

/** Slow enough that every switch finds requests under way. */
function startSlowApp(label: string): Promise<TestApp> {
  return startApp(label, (_, response) => void setTimeout(() => response.end(label), 30));
}

async function drainAndStop(edge: Edge, app: TestApp): Promise<void> {
  expect(await edge.drain(app.target, 20_000)).toEqual({ drained: true });
  // Hard: whatever were still under way would be cut off and counted as a failure.
  await app[Symbol.asyncDispose]();
}

/** Half on kept connections, half on fresh ones. */
function startLoad(
  fresh: () => Promise<{ status: number }>,
  kept: (agent: Agent) => Promise<{ status: number }>,
): { end(): Promise<{ failures: string[]; answered: number }> } {
  const agent = new Agent({ keepAlive: true });
  const failures: string[] = [];
  let answered = 0;
  const ending = new AbortController();
  const loop = async (once: () => Promise<{ status: number }>): Promise<void> => {
    while (!ending.signal.aborted) {
      try {
        const { status } = await once();
        answered += 1;
        if (status !== 200) failures.push(String(status));
      } catch (error) {
        failures.push(String(error));
      }
      await sleep(2);
    }
  };
  const loops = [fresh, fresh, fresh, fresh].map(loop);
  loops.push(...Array.from({ length: 4 }, () => loop(() => kept(agent))));
  return {
    end: async () => {
      ending.abort();
      await Promise.all(loops);
      agent.destroy();
      return { failures, answered };
    },
  };
}
