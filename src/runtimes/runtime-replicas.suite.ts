import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { deadline } from "../kernel/clock.ts";
import { newId } from "../kernel/ids.ts";
import {
  ALLOWED,
  SERVE,
  answerOf,
  collect,
  eventually,
  expectFree,
  type World,
} from "./runtime-world.suite.ts";

export function describeReplicas(world: World): void {
  describe("replicas", () => {
    it("start with a port that is theirs, answer there, and are gone after stop, their port free", async () => {
      const request = await world.startOf({ "app.mjs": SERVE }, ["node", "app.mjs"], {
        env: { WORD: "hello" },
      });
      const replica = await world.runtime.start(request);
      expect(replica).toMatchObject({
        replicaId: request.replicaId,
        environmentId: request.environmentId,
        releaseId: request.releaseId,
        deploymentId: request.fence.deploymentId,
        attempt: 1,
        state: "running",
        starts: 1,
        exitCode: null,
      });
      expect(Math.abs(Date.now() - replica.startedAt)).toBeLessThan(30_000);
      expect(await answerOf(replica.port)).toBe("hello");
      expect(await world.find(request.replicaId)).toEqual(replica);
      await world.runtime.stop(request.replicaId, request.fence, 5_000);
      expect(await world.find(request.replicaId)).toBeNull();
      await expectFree(replica.port);
    });

    it("get exactly the environment they are given, PORT and what programs cannot do without", async () => {
      const request = await world.startOf(
        { "app.mjs": SERVE.replace("process.env.WORD", "JSON.stringify(process.env)") },
        ["node", "app.mjs"],
        { env: { A: "b\nc", NODE_OPTIONS: "" } },
      );
      const { port } = await world.runtime.start(request);
      const seen = JSON.parse(await answerOf(port)) as Record<string, string>;
      expect(seen).toMatchObject({ A: "b\nc", PORT: String(port) });
      expect(Object.keys(seen).filter((key) => !["A", ...ALLOWED].includes(key))).toEqual([]);
    });

    it("run once, however often and from wherever they are started", async () => {
      const request = await world.startOf({ "app.mjs": SERVE }, ["node", "app.mjs"]);
      const other = await world.under.another();
      const started = await Promise.all([
        world.runtime.start(request),
        world.runtime.start(request),
        world.runtime.start(request),
      ]);
      started.push(await world.runtime.start(request), await other.start(request));
      expect(new Set(started.map((one) => `${one.port} ${one.startedAt} ${one.starts}`)).size).toBe(1);
      const running = (await other.list()).filter((one) => one.replicaId === request.replicaId);
      expect(running).toHaveLength(1);
      await other.stop(request.replicaId, null, 5_000);
      await expectFree(started[0].port);
    });

    it("never share a port when many start at the same time", async () => {
      const requests = await Promise.all(
        Array.from({ length: 6 }, async () => world.startOf({ "app.mjs": SERVE }, ["node", "app.mjs"])),
      );
      const started = await Promise.all(requests.map(async (request) => world.runtime.start(request)));
      expect(new Set(started.map((one) => one.port)).size).toBe(6);
      await Promise.all(started.map(async (one) => world.runtime.stop(one.replicaId, null, 0)));
    });

    it("may not write their release", async () => {
      const request = await world.startOf(
        {
          "app.mjs": SERVE.replace(
            "process.env.WORD",
            `(() => { try { fs.writeFileSync("index.html", "x"); return "written"; } catch (e) { return e.code; } })()`,
          ),
        },
        ["node", "app.mjs"],
      );
      await chmod(request.directory, 0o777);
      const { port } = await world.runtime.start(request);
      const isolated = (await world.runtime.isolation()).isolated;
      expect(await answerOf(port)).toMatch(isolated ? /^(EROFS|EACCES)$/ : /./);
    });

    it("fail to start when the program or the release does not exist, and leave nothing", async () => {
      const missing = await world.startOf({}, ["no-such-program-1"]);
      await expect(world.runtime.start(missing)).rejects.toMatchObject({ code: "START_FAILED" });
      const nowhere = {
        ...(await world.startOf({}, ["true"])),
        directory: join(world.under.folder, "nowhere"),
      };
      await expect(world.runtime.start(nowhere)).rejects.toMatchObject({ code: "START_FAILED" });
      const ids = [missing.replicaId, nowhere.replicaId];
      expect((await world.runtime.list()).filter((one) => ids.includes(one.replicaId))).toEqual([]);
    });

    it("show the exit code of a program that ends, are started again, and can still be stopped", async () => {
      const request = await world.startOf({}, ["sh", "-c", "exit 3"]);
      await world.runtime.start(request);
      const ended = await eventually(async () => {
        const replica = await world.find(request.replicaId);
        return replica?.exitCode === 3 && replica.starts >= 2 ? replica : null;
      });
      expect(["backing_off", "running"]).toContain(ended.state);
      await world.runtime.stop(request.replicaId, null, 60_000);
      expect(await world.find(request.replicaId)).toBeNull();
    });

    it("get SIGTERM and the time to end in peace", async () => {
      const request = await world.startOf({ "app.mjs": SERVE }, ["sh", "-c", "node app.mjs & wait; wait"]);
      const { port } = await world.runtime.start(request);
      await answerOf(port);
      const following = collect(
        world.runtime.logs(request.replicaId, { tailLines: 0, follow: true, signal: deadline(20_000) }),
      );
      await world.runtime.stop(request.replicaId, null, 10_000);
      expect(await following).toContain("ended in peace");
    });

    it("are killed with all they started when they ignore SIGTERM", async () => {
      const request = await world.startOf({ "app.mjs": `process.on("SIGTERM", () => {});\n${SERVE}` }, [
        "sh",
        "-c",
        "trap '' TERM; node app.mjs & wait; sleep 60",
      ]);
      const { port } = await world.runtime.start(request);
      await answerOf(port);
      const before = Date.now();
      await world.runtime.stop(request.replicaId, null, 300);
      expect(Date.now() - before).toBeLessThan(8_000);
      await expectFree(port);
    });

    it("can be stopped twice, at the same time, and when they never were", async () => {
      const request = await world.startOf({ "app.mjs": SERVE }, ["node", "app.mjs"]);
      await world.runtime.start(request);
      const other = await world.under.another();
      await Promise.all([
        world.runtime.stop(request.replicaId, null, 1_000),
        world.runtime.stop(request.replicaId, null, 1_000),
        other.stop(request.replicaId, null, 1_000),
      ]);
      await world.runtime.stop(request.replicaId, null, 0);
      await world.runtime.stop(newId("rpl"), { deploymentId: newId("dep"), attempt: 1 }, 0);
      expect(await world.find(request.replicaId)).toBeNull();
    });

    it("are found, read and stopped by another runtime object", async () => {
      const request = await world.startOf({ "app.mjs": SERVE }, ["node", "app.mjs"]);
      const replica = await world.runtime.start(request);
      await answerOf(replica.port);
      const other = await world.under.another();
      expect((await other.list()).find((one) => one.replicaId === request.replicaId)).toEqual(replica);
      const read = await collect(
        other.logs(request.replicaId, { tailLines: 10, follow: false, signal: deadline(5_000) }),
      );
      expect(read).toEqual([`listening on ${replica.port}`]);
      await other.stop(request.replicaId, null, 5_000);
      expect(await world.find(request.replicaId)).toBeNull();
    });

    it("refuse calls of an attempt that was overtaken", async () => {
      const fence = { deploymentId: newId("dep"), attempt: 2 };
      const request = await world.startOf({ "app.mjs": SERVE }, ["node", "app.mjs"], { fence });
      await world.runtime.start(request);
      const older = { ...fence, attempt: 1 };
      const other = await world.under.another();
      const lost = { code: "LOST_WORKER" };
      await expect(other.start({ ...request, replicaId: newId("rpl"), fence: older })).rejects.toMatchObject(
        lost,
      );
      await expect(world.runtime.stop(request.replicaId, older, 0)).rejects.toMatchObject(lost);
      expect((await world.find(request.replicaId))?.state).toBe("running");
      await world.runtime.stop(request.replicaId, { ...fence, attempt: 3 }, 0);
      await expect(other.start(request)).rejects.toMatchObject(lost);
      expect(await world.find(request.replicaId)).toBeNull();
    });
  });
}
