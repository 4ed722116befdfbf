import { spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
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

export type World = ReturnType<typeof useWorld>;

/** An adapter that is open while the tests of the surrounding `describe` run, and what they ask of it. */
export function useWorld(make: () => Promise<RuntimeUnderTest>) {
  let under: RuntimeUnderTest | null = null;
  const lines: string[] = [];
  const world = {
    /** What builds said; tests empty it. */
    lines,
    get under(): RuntimeUnderTest {
      if (under === null) throw new Error("not open yet");
      return under;
    },
    get runtime(): Runtime {
      return world.under.runtime;
    },
    find: async (replicaId: string): Promise<Replica | null> =>
      (await world.runtime.list()).find((one) => one.replicaId === replicaId) ?? null,
    buildOf,
    startOf,
  };
  beforeAll(async () => {
    under = await make();
  });
  afterAll(async () => {
    for (const replica of await world.runtime.list()) await world.runtime.stop(replica.replicaId, null, 0);
    await world.under[Symbol.asyncDispose]();
  });
  return world;

  async function buildOf(
    commands: readonly (readonly [string, ...string[]])[],
    changes: Partial<BuildRequest> = {},
    files: Record<string, string> = {},
  ): Promise<BuildRequest> {
    const environmentId = changes.environmentId ?? newId("env");
    const workspace = changes.workspace ?? join(world.under.folder, "workspaces", environmentId);
    const cache = changes.cache ?? join(world.under.folder, "caches", environmentId);
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
    const directory = join(world.under.folder, "releases", releaseId);
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
}

export async function expectSilence(workspace: string): Promise<void> {
  const before = (await readFile(join(workspace, "beat"), "utf8")).length;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect((await readFile(join(workspace, "beat"), "utf8")).length).toBe(before);
  expect(before).toBeGreaterThan(0);
}

export async function faultOf(failing: Promise<unknown>): Promise<Fault> {
  const thrown = await failing.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(thrown instanceof Fault)) throw new Error("expected a Fault", { cause: thrown });
  return thrown;
}

export async function eventually<T>(condition: () => Promise<T> | T): Promise<NonNullable<T>> {
  return waitUntil(condition, { everyMs: 20, signal: deadline(20_000) });
}

export async function answerOf(port: number, path = "/"): Promise<string> {
  return eventually(async () => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => null);
    return response === null ? null : response.text();
  });
}

export async function collect(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

export async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

export async function expectFree(port: number): Promise<void> {
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

/** What a sandbox may add to the environment it was given. */
export const ALLOWED = new Set([
  "PATH",
  "HOME",
  "TMPDIR",
  "CI",
  "PORT",
  "NODE_OPTIONS",
  "FAIRLEAD_SANDBOX",
  "npm_config_cache",
  "npm_config_store_dir",
  "NODE_USE_SYSTEM_CA",
]);

export const SERVE = `import fs from "node:fs"; import { createServer } from "node:http";
const server = createServer((request, response) => response.end(String(process.env.WORD)));
server.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("listening on " + process.env.PORT));
process.on("SIGTERM", () => { console.log("ended in peace"); process.exit(0); });
`;
