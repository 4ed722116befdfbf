import { spawnSync } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Fault } from "../faults/fault.ts";
import { deadline } from "../kernel/clock.ts";
import { newId } from "../kernel/ids.ts";
import { waitUntil } from "../kernel/retry.ts";
import type { BuildCommand, BuildRequest, Replica, Runtime, StartRequest } from "./runtime.ts";

/** An adapter under test. */
export interface RuntimeUnderTest extends AsyncDisposable {
  readonly runtime: Runtime;
  /** Another object for the same place: what a Fairlead that starts later has. */
  readonly another: () => Promise<Runtime>;
  /** A folder under which workspaces and releases may lie. */
  readonly folder: string;
  /** Whether the end of a build is promised to be the end of a hostile process too. */
  readonly contains: boolean;
}

/** What `runtime.ts` promises, for every adapter. */
export function describeRuntime(name: string, make: () => Promise<RuntimeUnderTest>): void {
  describe(name, () => {
    let under: RuntimeUnderTest;
    let runtime: Runtime;
    beforeAll(async () => {
      under = await make();
      runtime = under.runtime;
    });
    afterAll(async () => {
      for (const replica of await runtime.list()) await runtime.stop(replica.replicaId, null, 0);
      await under[Symbol.asyncDispose]();
    });

    const lines: string[] = [];
    async function buildOf(
      commands: readonly (readonly [string, ...string[]])[],
      changes: Partial<BuildRequest> = {},
      files: Record<string, string> = {},
    ): Promise<BuildRequest> {
      const environmentId = changes.environmentId ?? newId("env");
      const workspace = changes.workspace ?? join(under.folder, "workspaces", environmentId);
      const cache = changes.cache ?? join(under.folder, "caches", environmentId);
      await mkdir(workspace, { recursive: true });
      await mkdir(cache, { recursive: true });
      for (const [file, content] of Object.entries(files)) await writeFile(join(workspace, file), content);
      return {
        fence: { deploymentId: newId("dep"), attempt: 1 },
        environmentId,
        workspace,
        directory: workspace,
        cache,
        commands: commands.map((argv, i): BuildCommand => ({ name: `command ${i + 1}`, argv })),
        env: {},
        timeoutMs: 30_000,
        signal: new AbortController().signal,
        onLine: (line) => lines.push(line),
        ...changes,
      };
    }

    async function startOf(
      files: Record<string, string>,
      argv: readonly [string, ...string[]],
      changes: Partial<StartRequest> = {},
    ): Promise<StartRequest> {
      const releaseId = newId("rel");
      const directory = join(under.folder, "releases", releaseId);
      await mkdir(directory, { recursive: true });
      for (const [file, content] of Object.entries(files)) {
        await mkdir(join(directory, file, ".."), { recursive: true });
        await writeFile(join(directory, file), content);
      }
      return {
        fence: { deploymentId: newId("dep"), attempt: 1 },
        replicaId: newId("rpl"),
        environmentId: newId("env"),
        releaseId,
        directory,
        command: { kind: "exec", argv },
        env: {},
        limits: { memoryMb: 256, processes: 64 },
        ...changes,
      };
    }

    const find = async (replicaId: string): Promise<Replica | null> =>
      (await runtime.list()).find((one) => one.replicaId === replicaId) ?? null;

    describe("isolation", () => {
      it("says what it found and stays with it", async () => {
        const first = await runtime.isolation();
        expect(first.explanation).toMatch(/^[A-Z].*\.$/s);
        expect(await runtime.isolation()).toEqual(first);
      });
    });

    describe("build", () => {
      it("runs the commands in order in the workspace and passes every line of both streams on", async () => {
        lines.length = 0;
        const request = await buildOf([
          ["sh", "-c", "echo one; echo two >&2; printf 'made' > made.txt"],
          ["sh", "-c", "cat made.txt; echo; printf 'no line end'"],
        ]);
        await runtime.build(request);
        expect(lines.toSorted()).toEqual(["made", "no line end", "one", "two"]);
        expect(lines.slice(2)).toEqual(["made", "no line end"]);
        expect(await readFile(join(request.workspace, "made.txt"), "utf8")).toBe("made");
      });

      it("passes words and environment exactly, whatever is in them", async () => {
        lines.length = 0;
        const value = `it's "quoted" $HOME \`id\` \\ %s äö\n  second line\tEND\nEND\nEND_OF_ENVIRONMENT\n`;
        const env = { VALUE: value, EMPTY: "", _under: "1", IFS: "x", LD_PRELOAD: "" };
        const word = "a 'b' \"c\" $(id) \\ ;&|<>*\n--";
        const script = `console.log(JSON.stringify([process.argv.slice(1), process.env]))`;
        await runtime.build(await buildOf([["node", "-e", script, "--", word, ""]], { env }));
        const [words, seen] = JSON.parse(lines.join("\n")) as [string[], Record<string, string>];
        expect(words).toEqual([word, ""]);
        expect(seen).toMatchObject(env);
        const others = Object.keys(seen).filter((key) => !(key in env));
        expect(others.filter((key) => !ALLOWED.has(key))).toEqual([]);
      });

      it("runs in a folder of the workspace, but in none outside", async () => {
        lines.length = 0;
        const request = await buildOf([["sh", "-c", "cat here ../there"]], {}, { there: "there" });
        const directory = join(request.workspace, "a b");
        await mkdir(directory);
        await writeFile(join(directory, "here"), "here and ");
        await runtime.build({ ...request, directory });
        expect(lines).toEqual(["here and there"]);
        const outside = { ...request, directory: join(request.workspace, "..") };
        await expect(runtime.build(outside)).rejects.toMatchObject({ code: "BUILD_FAILED" });
      });

      it("refuses a variable that no program can get", async () => {
        const failing = runtime.build(await buildOf([["true"]], { env: { "a=b": "1" } }));
        await expect(failing).rejects.toMatchObject({ code: "BUILD_FAILED" });
      });

      it("stops at the first command that fails and says which, how and its last words", async () => {
        const request = await buildOf([
          ["true"],
          ["sh", "-c", "echo the reason; exit 7"],
          ["sh", "-c", "echo > never"],
        ]);
        const fault = await faultOf(runtime.build(request));
        expect(fault.code).toBe("BUILD_FAILED");
        expect(fault.evidence).toMatchObject({ command: "command 2", exitCode: 7, words: "the reason" });
        await expect(readFile(join(request.workspace, "never"))).rejects.toThrow("ENOENT");
      });

      it("fails for a program that does not exist", async () => {
        const fault = await faultOf(runtime.build(await buildOf([["no-such-program-1"]])));
        expect(fault).toMatchObject({ code: "BUILD_FAILED", evidence: { exitCode: 127 } });
      });

      it("keeps the cache between builds of an environment", async () => {
        lines.length = 0;
        const first = await buildOf([["sh", "-c", 'echo kept > "$npm_config_cache.x"']]);
        await runtime.build(first);
        await runtime.build({
          ...first,
          commands: [{ name: "look", argv: ["sh", "-c", 'cat "$npm_config_cache.x"'] }],
        });
        expect(lines).toEqual(["kept"]);
      });

      it("passes 200,000 lines on, none lost", async () => {
        let count = 0;
        let last = "";
        const onLine = (line: string): void => {
          count++;
          last = line;
        };
        await runtime.build(await buildOf([["seq", "1", "200000"]], { onLine }));
        expect([count, last]).toEqual([200_000, "200000"]);
      });

      it("makes text of binary output and cuts endless lines", async () => {
        lines.length = 0;
        const script = `process.stdout.write(Buffer.concat([Buffer.from([0xff, 0, 0xc3, 10]), Buffer.alloc(200_000, 0x61)]))`;
        await runtime.build(await buildOf([["node", "-e", script]]));
        expect(lines[0]).toBe("\uFFFD\uFFFD\uFFFD");
        expect(lines.slice(1).join("")).toBe("a".repeat(200_000));
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(65_536);
      });

      it.each(["timeout", "cancel"])("leaves no process alive after a %s, however it hid", async (how) => {
        const stop = new AbortController();
        const request = await buildOf(
          [["sh", "-c", "node hide.mjs; echo started; sleep 60"]],
          {
            timeoutMs: how === "timeout" ? 2_500 : 30_000,
            signal: stop.signal,
            onLine: () => how === "cancel" && stop.abort(),
          },
          { "hide.mjs": HIDE, "beat.mjs": BEAT },
        );
        const fault = await faultOf(runtime.build(request));
        expect(fault.code).toBe(how === "timeout" ? "BUILD_TIMEOUT" : "CANCELLED");
        await expectSilence(request.workspace);
      });

      it("leaves no daemon behind when it succeeds", async () => {
        const request = await buildOf([["node", "hide.mjs"]], {}, { "hide.mjs": HIDE, "beat.mjs": BEAT });
        await runtime.build(request);
        await expectSilence(request.workspace);
      });

      it("does not begin with a signal that has aborted, and hands on a Fault that is the reason", async () => {
        const reason = Fault.of("LOST_WORKER", "");
        const request = await buildOf([["sh", "-c", "echo > began"]], { signal: AbortSignal.abort(reason) });
        await expect(runtime.build(request)).rejects.toBe(reason);
        await expect(readFile(join(request.workspace, "began"))).rejects.toThrow("ENOENT");
      });

      it("refuses an attempt lower than one that was seen", async () => {
        const request = await buildOf([["true"]], { fence: { deploymentId: newId("dep"), attempt: 3 } });
        await runtime.build(request);
        await runtime.build(request);
        const late = { ...request, fence: { ...request.fence, attempt: 2 } };
        await expect((await under.another()).build(late)).rejects.toMatchObject({ code: "LOST_WORKER" });
      });

      it("ends the older build of the environment, of whatever deployment, before a newer one begins", async () => {
        for (const sameDeployment of [true, false]) {
          const began = Promise.withResolvers<void>();
          const older = await buildOf(
            [["sh", "-c", "node hide.mjs; echo began; sleep 60"]],
            { onLine: () => began.resolve() },
            { "hide.mjs": HIDE, "beat.mjs": BEAT },
          );
          const ended = faultOf(runtime.build(older));
          await began.promise;
          const newer = await buildOf([["true"]], {
            environmentId: older.environmentId,
            fence: sameDeployment
              ? { ...older.fence, attempt: 2 }
              : { deploymentId: newId("dep"), attempt: 1 },
          });
          await (await under.another()).build(newer);
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
        await Promise.all([
          runtime.build(await buildOf([["node", "-e", meet, "--", one, two]])),
          runtime.build(await buildOf([["node", "-e", meet, "--", two, one]])),
        ]);
      });
    });

    describe("replicas", () => {
      it("start with a port that is theirs, answer there, and are gone after stop, their port free", async () => {
        const request = await startOf({ "app.mjs": SERVE }, ["node", "app.mjs"], { env: { WORD: "hello" } });
        const replica = await runtime.start(request);
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
        expect(await find(request.replicaId)).toEqual(replica);
        await runtime.stop(request.replicaId, request.fence, 5_000);
        expect(await find(request.replicaId)).toBeNull();
        await expectFree(replica.port);
      });

      it("get exactly the environment they are given, PORT and what programs cannot do without", async () => {
        const request = await startOf(
          { "app.mjs": SERVE.replace("process.env.WORD", "JSON.stringify(process.env)") },
          ["node", "app.mjs"],
          { env: { A: "b\nc", NODE_OPTIONS: "" } },
        );
        const { port } = await runtime.start(request);
        const seen = JSON.parse(await answerOf(port)) as Record<string, string>;
        expect(seen).toMatchObject({ A: "b\nc", PORT: String(port) });
        expect(Object.keys(seen).filter((key) => !["A", ...ALLOWED].includes(key))).toEqual([]);
      });

      it("run once, however often and from wherever they are started", async () => {
        const request = await startOf({ "app.mjs": SERVE }, ["node", "app.mjs"]);
        const other = await under.another();
        const started = await Promise.all([
          runtime.start(request),
          runtime.start(request),
          runtime.start(request),
        ]);
        started.push(await runtime.start(request), await other.start(request));
        expect(new Set(started.map((one) => `${one.port} ${one.startedAt} ${one.starts}`)).size).toBe(1);
        const running = (await other.list()).filter((one) => one.replicaId === request.replicaId);
        expect(running).toHaveLength(1);
        await other.stop(request.replicaId, null, 5_000);
        await expectFree(started[0].port);
      });

      it("never share a port when many start at the same time", async () => {
        const requests = await Promise.all(
          Array.from({ length: 6 }, async () => startOf({ "app.mjs": SERVE }, ["node", "app.mjs"])),
        );
        const started = await Promise.all(requests.map(async (request) => runtime.start(request)));
        expect(new Set(started.map((one) => one.port)).size).toBe(6);
        await Promise.all(started.map(async (one) => runtime.stop(one.replicaId, null, 0)));
      });

      it("may not write their release", async () => {
        const request = await startOf(
          {
            "app.mjs": SERVE.replace(
              "process.env.WORD",
              `(() => { try { fs.writeFileSync("index.html", "x"); return "written"; } catch (e) { return e.code; } })()`,
            ),
          },
          ["node", "app.mjs"],
        );
        await chmod(request.directory, 0o777);
        const { port } = await runtime.start(request);
        const isolated = (await runtime.isolation()).isolated;
        expect(await answerOf(port)).toMatch(isolated ? /^(EROFS|EACCES)$/ : /./);
      });

      it("fail to start when the program or the release does not exist, and leave nothing", async () => {
        const missing = await startOf({}, ["no-such-program-1"]);
        await expect(runtime.start(missing)).rejects.toMatchObject({ code: "START_FAILED" });
        const nowhere = { ...(await startOf({}, ["true"])), directory: join(under.folder, "nowhere") };
        await expect(runtime.start(nowhere)).rejects.toMatchObject({ code: "START_FAILED" });
        const ids = [missing.replicaId, nowhere.replicaId];
        expect((await runtime.list()).filter((one) => ids.includes(one.replicaId))).toEqual([]);
      });

      it("show the exit code of a program that ends, are started again, and can still be stopped", async () => {
        const request = await startOf({}, ["sh", "-c", "exit 3"]);
        await runtime.start(request);
        const ended = await eventually(async () => {
          const replica = await find(request.replicaId);
          return replica?.exitCode === 3 && replica.starts >= 2 ? replica : null;
        });
        expect(["backing_off", "running"]).toContain(ended.state);
        await runtime.stop(request.replicaId, null, 60_000);
        expect(await find(request.replicaId)).toBeNull();
      });

      it("get SIGTERM and the time to end in peace", async () => {
        const request = await startOf({ "app.mjs": SERVE }, ["node", "app.mjs"]);
        const { port } = await runtime.start(request);
        await answerOf(port);
        const following = collect(
          runtime.logs(request.replicaId, { tailLines: 0, follow: true, signal: deadline(20_000) }),
        );
        await runtime.stop(request.replicaId, null, 10_000);
        expect(await following).toContain("ended in peace");
      });

      it("are killed with all they started when they ignore SIGTERM", async () => {
        const request = await startOf({ "app.mjs": `process.on("SIGTERM", () => {});\n${SERVE}` }, [
          "sh",
          "-c",
          "trap '' TERM; node app.mjs & wait; sleep 60",
        ]);
        const { port } = await runtime.start(request);
        await answerOf(port);
        const before = Date.now();
        await runtime.stop(request.replicaId, null, 300);
        expect(Date.now() - before).toBeLessThan(8_000);
        await expectFree(port);
      });

      it("can be stopped twice, at the same time, and when they never were", async () => {
        const request = await startOf({ "app.mjs": SERVE }, ["node", "app.mjs"]);
        await runtime.start(request);
        const other = await under.another();
        await Promise.all([
          runtime.stop(request.replicaId, null, 1_000),
          runtime.stop(request.replicaId, null, 1_000),
          other.stop(request.replicaId, null, 1_000),
        ]);
        await runtime.stop(request.replicaId, null, 0);
        await runtime.stop(newId("rpl"), { deploymentId: newId("dep"), attempt: 1 }, 0);
        expect(await find(request.replicaId)).toBeNull();
      });

      it("are found, read and stopped by another runtime object", async () => {
        const request = await startOf({ "app.mjs": SERVE }, ["node", "app.mjs"]);
        const replica = await runtime.start(request);
        await answerOf(replica.port);
        const other = await under.another();
        expect((await other.list()).find((one) => one.replicaId === request.replicaId)).toEqual(replica);
        const read = await collect(
          other.logs(request.replicaId, { tailLines: 10, follow: false, signal: deadline(5_000) }),
        );
        expect(read).toEqual([`listening on ${replica.port}`]);
        await other.stop(request.replicaId, null, 5_000);
        expect(await find(request.replicaId)).toBeNull();
      });

      it("refuse calls of an attempt that was overtaken", async () => {
        const fence = { deploymentId: newId("dep"), attempt: 2 };
        const request = await startOf({ "app.mjs": SERVE }, ["node", "app.mjs"], { fence });
        await runtime.start(request);
        const older = { ...fence, attempt: 1 };
        const other = await under.another();
        const lost = { code: "LOST_WORKER" };
        await expect(
          other.start({ ...request, replicaId: newId("rpl"), fence: older }),
        ).rejects.toMatchObject(lost);
        await expect(runtime.stop(request.replicaId, older, 0)).rejects.toMatchObject(lost);
        expect((await find(request.replicaId))?.state).toBe("running");
        await runtime.stop(request.replicaId, { ...fence, attempt: 3 }, 0);
        await expect(other.start(request)).rejects.toMatchObject(lost);
        expect(await find(request.replicaId)).toBeNull();
      });
    });

    describe("static releases", () => {
      it("are served from their root, pages of a single-page app from the fallback", async () => {
        const request = await startOf(
          { "dist/index.html": "<h1>home</h1>", "dist/about/index.html": "about", "secret.txt": "outside" },
          ["unused"],
          { command: { kind: "static", root: "dist", fallback: "index.html" } },
        );
        const { port } = await runtime.start(request);
        expect(await answerOf(port)).toBe("<h1>home</h1>");
        expect(await answerOf(port, "/about/")).toBe("about");
        expect(await answerOf(port, "/any/page")).toBe("<h1>home</h1>");
        expect(await answerOf(port, "/..%2fsecret.txt")).not.toBe("outside");
        await runtime.stop(request.replicaId, null, 5_000);
        await expectFree(port);
      });
    });

    describe("logs", () => {
      it("give the tail of both streams, then what comes, and end with the replica", async () => {
        const script = `for (let i = 1; i <= 50; i++) console.log("old " + i);
          console.error("ready"); let n = 0; setInterval(() => console.log("new " + ++n), 50);`;
        const request = await startOf({ "app.mjs": script }, ["node", "app.mjs"]);
        await runtime.start(request);
        await eventually(async () => {
          const all = await collect(
            runtime.logs(request.replicaId, { tailLines: 1000, follow: false, signal: deadline(5_000) }),
          );
          return all.includes("new 1");
        });
        const seen: string[] = [];
        const reading = (async () => {
          const options = { tailLines: 5, follow: true, signal: deadline(30_000) };
          for await (const line of runtime.logs(request.replicaId, options)) seen.push(line);
        })();
        await eventually(() => seen.length >= 10);
        await runtime.stop(request.replicaId, null, 2_000);
        await reading;
        const numbers = seen.filter((line) => line.startsWith("new ")).map((line) => Number(line.slice(4)));
        expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i));
      });

      it("end at once with the signal, and are empty for a replica that is not there", async () => {
        const request = await startOf({ "app.mjs": SERVE }, ["node", "app.mjs"]);
        await runtime.start(request);
        const stop = new AbortController();
        const reading = collect(
          runtime.logs(request.replicaId, { tailLines: 0, follow: true, signal: stop.signal }),
        );
        stop.abort();
        await reading;
        const none = runtime.logs(newId("rpl"), { tailLines: 10, follow: true, signal: deadline(5_000) });
        expect(await collect(none)).toEqual([]);
      });

      it("are text, whatever was written", async () => {
        const script = `process.stdout.write(Buffer.from([0xff, 0, 10, 0xc3, 0xa4, 13, 10])); setInterval(() => {}, 1000)`;
        const request = await startOf({ "app.mjs": script }, ["node", "app.mjs"]);
        await runtime.start(request);
        const options = { tailLines: 10, follow: false, signal: deadline(5_000) };
        const read = await eventually(async () => {
          const all = await collect(runtime.logs(request.replicaId, options));
          return all.length === 2 ? all : null;
        });
        expect(read).toEqual(["\uFFFD\uFFFD", "ä"]);
      });
    });
  });
}

/** What a sandbox may add to the environment it was given. */
const ALLOWED = new Set([
  "PATH",
  "HOME",
  "TMPDIR",
  "CI",
  "PORT",
  "NODE_OPTIONS",
  "FAIRLEAD_SANDBOX",
  "npm_config_cache",
  "npm_config_store_dir",
  "YARN_CACHE_FOLDER",
  "XDG_CACHE_HOME",
]);

const SERVE = `import fs from "node:fs"; import { createServer } from "node:http";
const server = createServer((request, response) => response.end(String(process.env.WORD)));
server.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("listening on " + process.env.PORT));
process.on("SIGTERM", () => { console.log("ended in peace"); process.exit(0); });
`;

/** Starts BEAT by a double fork, in a session of its own, with no output that could hold the build. */
const HIDE = `import { spawn } from "node:child_process"; import { existsSync } from "node:fs";
if (process.argv[2] === "again") {
  spawn("setsid", [process.execPath, "beat.mjs"], { detached: true, stdio: "ignore" }).unref();
} else {
  spawn(process.execPath, ["hide.mjs", "again"], { detached: true, stdio: "ignore" }).unref();
}
while (process.argv[2] !== "again" && !existsSync("beat")) await new Promise((resolve) => setTimeout(resolve, 10));
`;

const BEAT = `import { appendFileSync } from "node:fs"; process.on("SIGTERM", () => {});
setInterval(() => appendFileSync("beat", "x"), 20);
`;

async function expectSilence(workspace: string): Promise<void> {
  const before = (await readFile(join(workspace, "beat"), "utf8")).length;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect((await readFile(join(workspace, "beat"), "utf8")).length).toBe(before);
  expect(before).toBeGreaterThan(0);
}

async function faultOf(failing: Promise<unknown>): Promise<Fault> {
  const thrown = await failing.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(thrown instanceof Fault)) throw new Error("expected a Fault", { cause: thrown });
  return thrown;
}

async function eventually<T>(condition: () => Promise<T> | T): Promise<NonNullable<T>> {
  return waitUntil(condition, { everyMs: 20, signal: deadline(20_000) });
}

async function answerOf(port: number, path = "/"): Promise<string> {
  return eventually(async () => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => null);
    return response === null ? null : response.text();
  });
}

async function collect(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

async function expectFree(port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => server.close(() => resolve()));
  });
}

/** Whether a program of this name can be run here. */
export function has(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v -- "$1"`, "sh", program]).status === 0;
}
