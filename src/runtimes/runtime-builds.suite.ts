import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Fault } from "../faults/fault.ts";
import { newId } from "../kernel/ids.ts";
import { ALLOWED, expectSilence, faultOf, freePort, type World } from "./runtime-world.suite.ts";

export function describeBuilds(world: World): void {
  describe("build", () => {
    it("runs the commands in order in the workspace and passes every line of both streams on", async () => {
      world.lines.length = 0;
      const request = await world.buildOf([
        ["sh", "-c", "echo one; echo two >&2; printf 'made' > made.txt"],
        ["sh", "-c", "cat made.txt; echo; printf 'no line end'"],
      ]);
      await world.runtime.build(request);
      expect(world.lines.toSorted()).toEqual(["made", "no line end", "one", "two"]);
      expect(world.lines.slice(2)).toEqual(["made", "no line end"]);
      expect(await readFile(join(request.workspace, "made.txt"), "utf8")).toBe("made");
    });

    it("passes words and environment exactly, whatever is in them", async () => {
      world.lines.length = 0;
      const value = `it's "quoted" $HOME \`id\` \\ %s äö\n  second line\tEND\nEND\nEND_OF_ENVIRONMENT\n`;
      const env = { VALUE: value, EMPTY: "", _under: "1", IFS: "x", LD_PRELOAD: "" };
      const word = "a 'b' \"c\" $(id) \\ ;&|<>*\n--";
      const script = `console.log(JSON.stringify([process.argv.slice(1), process.env]))`;
      await world.runtime.build(await world.buildOf([["node", "-e", script, "--", word, ""]], { env }));
      const [words, seen] = JSON.parse(world.lines.join("\n")) as [string[], Record<string, string>];
      expect(words).toEqual([word, ""]);
      expect(seen).toMatchObject(env);
      const others = Object.keys(seen).filter((key) => !(key in env));
      expect(others.filter((key) => !ALLOWED.has(key))).toEqual([]);
    });

    it("runs in a folder of the workspace, but in none outside", async () => {
      world.lines.length = 0;
      const request = await world.buildOf([["sh", "-c", "cat here ../there"]], {}, { there: "there" });
      const directory = join(request.workspace, "a b");
      await mkdir(directory);
      await writeFile(join(directory, "here"), "here and ");
      await world.runtime.build({ ...request, directory });
      expect(world.lines).toEqual(["here and there"]);
      const outside = { ...request, directory: join(request.workspace, "..") };
      await expect(world.runtime.build(outside)).rejects.toMatchObject({ code: "BUILD_FAILED" });
    });

    it("refuses a variable that no program can get", async () => {
      const failing = world.runtime.build(await world.buildOf([["true"]], { env: { "a=b": "1" } }));
      await expect(failing).rejects.toMatchObject({ code: "BUILD_FAILED" });
    });

    it("stops at the first command that fails and says which, how and its last words", async () => {
      const request = await world.buildOf([
        ["true"],
        ["sh", "-c", "echo the reason; exit 7"],
        ["sh", "-c", "echo > never"],
      ]);
      const fault = await faultOf(world.runtime.build(request));
      expect(fault.code).toBe("BUILD_FAILED");
      expect(fault.evidence).toMatchObject({ command: "command 2", exitCode: 7, words: "the reason" });
      await expect(readFile(join(request.workspace, "never"))).rejects.toThrow("ENOENT");
    });

    it("fails for a program that does not exist", async () => {
      const fault = await faultOf(world.runtime.build(await world.buildOf([["no-such-program-1"]])));
      expect(fault).toMatchObject({ code: "BUILD_FAILED", evidence: { exitCode: 127 } });
    });

    it("keeps the cache between builds of an environment", async () => {
      world.lines.length = 0;
      const first = await world.buildOf([["sh", "-c", 'echo kept > "$npm_config_cache.x"']]);
      await world.runtime.build(first);
      await world.runtime.build({
        ...first,
        commands: [{ name: "look", argv: ["sh", "-c", 'cat "$npm_config_cache.x"'] }],
      });
      expect(world.lines).toEqual(["kept"]);
    });

    it("passes 200,000 lines on, none lost", async () => {
      let count = 0;
      let last = "";
      const onLine = (line: string): void => {
        count++;
        last = line;
      };
      await world.runtime.build(await world.buildOf([["seq", "1", "200000"]], { onLine }));
      expect([count, last]).toEqual([200_000, "200000"]);
    });

    it("makes text of binary output and cuts endless lines", async () => {
      world.lines.length = 0;
      const script = `process.stdout.write(Buffer.concat([Buffer.from([0xff, 0, 0xc3, 10]), Buffer.alloc(200_000, 0x61)]))`;
      await world.runtime.build(await world.buildOf([["node", "-e", script]]));
      expect(world.lines[0]).toBe("\uFFFD\uFFFD\uFFFD");
      expect(world.lines.slice(1).join("")).toBe("a".repeat(200_000));
      expect(Math.max(...world.lines.map((line) => line.length))).toBeLessThanOrEqual(65_536);
    });

    it.each(["timeout", "cancel"])("leaves no process alive after a %s, however it hid", async (how) => {
      const stop = new AbortController();
      const request = await world.buildOf(
        [["sh", "-c", "node hide.mjs; echo started; sleep 60"]],
        {
          timeoutMs: how === "timeout" ? 2_500 : 30_000,
          signal: stop.signal,
          onLine: () => how === "cancel" && stop.abort(),
        },
        { "hide.mjs": HIDE, "beat.mjs": BEAT },
      );
      const fault = await faultOf(world.runtime.build(request));
      expect(fault.code).toBe(how === "timeout" ? "BUILD_TIMEOUT" : "CANCELLED");
      await expectSilence(request.workspace);
    });

    it("leaves no daemon behind when it succeeds", async () => {
      const request = await world.buildOf([["node", "hide.mjs"]], {}, { "hide.mjs": HIDE, "beat.mjs": BEAT });
      await expect(world.runtime.build(request)).resolves.toBeUndefined();
      await expectSilence(request.workspace);
    });

    it("does not begin with a signal that has aborted, and hands on a Fault that is the reason", async () => {
      const reason = Fault.of("LOST_WORKER", "");
      const request = await world.buildOf([["sh", "-c", "echo > began"]], {
        signal: AbortSignal.abort(reason),
      });
      await expect(world.runtime.build(request)).rejects.toBe(reason);
      await expect(readFile(join(request.workspace, "began"))).rejects.toThrow("ENOENT");
    });

    it("refuses an attempt lower than one that was seen", async () => {
      const request = await world.buildOf([["true"]], { fence: { deploymentId: newId("dep"), attempt: 3 } });
      await world.runtime.build(request);
      await world.runtime.build(request);
      const late = { ...request, fence: { ...request.fence, attempt: 2 } };
      await expect((await world.under.another()).build(late)).rejects.toMatchObject({ code: "LOST_WORKER" });
    });

    it("ends the older build of the environment, of whatever deployment, before a newer one begins", async () => {
      for (const sameDeployment of [true, false]) {
        const began = Promise.withResolvers<void>();
        const older = await world.buildOf(
          [["sh", "-c", "node hide.mjs; echo began; sleep 60"]],
          { onLine: () => began.resolve() },
          { "hide.mjs": HIDE, "beat.mjs": BEAT },
        );
        const ended = faultOf(world.runtime.build(older));
        await began.promise;
        const newer = await world.buildOf([["true"]], {
          environmentId: older.environmentId,
          fence: sameDeployment ? { ...older.fence, attempt: 2 } : { deploymentId: newId("dep"), attempt: 1 },
        });
        await (await world.under.another()).build(newer);
        await expectSilence(older.workspace);
        expect((await ended).code).toBe("LOST_WORKER");
      }
    });

    it("builds different environments at the same time", async () => {
      const meet = `const { createServer, connect } = require("node:net");
          const [mine, other] = process.argv.slice(1).map(Number);
          createServer((s) => s.end()).listen(mine, "127.0.0.1");
          (function knock() { connect(other, "127.0.0.1").on("connect", () => setTimeout(() => process.exit(0), 300)).on("error", () => setTimeout(knock, 20)); })();`;
      const [one, two] = [String(await freePort()), String(await freePort())];
      const both = Promise.all([
        world.runtime.build(await world.buildOf([["node", "-e", meet, "--", one, two]])),
        world.runtime.build(await world.buildOf([["node", "-e", meet, "--", two, one]])),
      ]);
      await expect(both).resolves.toEqual([undefined, undefined]);
    });
  });
}

/** Starts BEAT by a double fork, in a session of its own, with no output that could hold the build. */
export const HIDE = `import { spawn } from "node:child_process"; import { existsSync } from "node:fs";
if (process.argv[2] === "again") {
  spawn("setsid", [process.execPath, "beat.mjs"], { detached: true, stdio: "ignore" }).unref();
} else {
  spawn(process.execPath, ["hide.mjs", "again"], { detached: true, stdio: "ignore" }).unref();
}
while (process.argv[2] !== "again" && !existsSync("beat")) await new Promise((resolve) => setTimeout(resolve, 10));
`;

export const BEAT = `import { appendFileSync } from "node:fs"; process.on("SIGTERM", () => {});
setInterval(() => appendFileSync("beat", "x"), 20);
`;
