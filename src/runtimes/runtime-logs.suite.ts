import { describe, expect, it } from "vitest";
import { deadline } from "../kernel/clock.ts";
import { newId } from "../kernel/ids.ts";
import { SERVE, answerOf, collect, eventually, expectFree, type World } from "./runtime-world.suite.ts";

export function describeLogs(world: World): void {
  describe("static releases", () => {
    it("are served from their root, pages of a single-page app from the fallback", async () => {
      const request = await world.startOf(
        { "dist/index.html": "<h1>home</h1>", "dist/about/index.html": "about", "secret.txt": "outside" },
        ["unused"],
        { command: { kind: "static", root: "dist", fallback: "index.html" } },
      );
      const { port } = await world.runtime.start(request);
      expect(await answerOf(port)).toBe("<h1>home</h1>");
      expect(await answerOf(port, "/about/")).toBe("about");
      expect(await answerOf(port, "/any/page")).toBe("<h1>home</h1>");
      expect(await answerOf(port, "/..%2fsecret.txt")).not.toBe("outside");
      await world.runtime.stop(request.replicaId, null, 5_000);
      await expectFree(port);
    });
  });

  it("a static release of a folder that is not in it does not start", async () => {
    for (const root of ["missing", "..", "/etc", "a/../../b"]) {
      const command = { kind: "static", root, fallback: null } as const;
      const request = await world.startOf({ "index.html": "home" }, ["unused"], { command });
      await expect(world.runtime.start(request)).rejects.toMatchObject({ code: "START_FAILED" });
    }
  });

  describe("logs", () => {
    it("give the tail of both streams, then what comes, and end with the replica", async () => {
      const script = `for (let i = 1; i <= 50; i++) console.log("old " + i);
          console.error("ready"); let n = 0; setInterval(() => console.log("new " + ++n), 50);`;
      const request = await world.startOf({ "app.mjs": script }, ["node", "app.mjs"]);
      await world.runtime.start(request);
      await eventually(async () => {
        const all = await collect(
          world.runtime.logs(request.replicaId, { tailLines: 1000, follow: false, signal: deadline(5_000) }),
        );
        return all.includes("new 1");
      });
      const seen: string[] = [];
      const reading = (async () => {
        const options = { tailLines: 5, follow: true, signal: deadline(30_000) };
        for await (const line of world.runtime.logs(request.replicaId, options)) seen.push(line);
      })();
      await eventually(() => seen.length >= 10);
      await world.runtime.stop(request.replicaId, null, 2_000);
      await reading;
      const numbers = seen.filter((line) => line.startsWith("new ")).map((line) => Number(line.slice(4)));
      expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i));
    });

    it("end at once with the signal, and are empty for a replica that is not there", async () => {
      const request = await world.startOf({ "app.mjs": SERVE }, ["node", "app.mjs"]);
      await world.runtime.start(request);
      const stop = new AbortController();
      const reading = collect(
        world.runtime.logs(request.replicaId, { tailLines: 0, follow: true, signal: stop.signal }),
      );
      stop.abort();
      await reading;
      const none = world.runtime.logs(newId("rpl"), { tailLines: 10, follow: true, signal: deadline(5_000) });
      expect(await collect(none)).toEqual([]);
    });

    it("are text, whatever was written", async () => {
      const script = `process.stdout.write(Buffer.from([0xff, 0, 10, 0xc3, 0xa4, 13, 10])); setInterval(() => {}, 1000)`;
      const request = await world.startOf({ "app.mjs": script }, ["node", "app.mjs"]);
      await world.runtime.start(request);
      const options = { tailLines: 10, follow: false, signal: deadline(5_000) };
      const read = await eventually(async () => {
        const all = await collect(world.runtime.logs(request.replicaId, options));
        return all.length === 2 ? all : null;
      });
      expect(read).toEqual(["\uFFFD\uFFFD", "ä"]);
    });
  });
}
