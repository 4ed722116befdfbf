import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  createSourceFixture,
  TEST_TOKEN,
  treeDifferences,
  type SourceFixture,
} from "../../test/support/git-source.ts";
import { waitUntil } from "../kernel/retry.ts";
import { takeWorkspace } from "./fence.ts";
import { createGit, findGitTools } from "./git.ts";

let fixture: SourceFixture;
let workers: ChildProcess[] = [];
beforeEach(async () => {
  fixture = await createSourceFixture();
});
afterEach(async () => {
  for (const worker of workers) worker.kill("SIGKILL");
  workers = [];
  await fixture[Symbol.asyncDispose]();
});

const noise = (kilobytes: number): string => randomBytes(kilobytes * 512).toString("hex");
const fence = (deploymentId: string, attempt: number): { deploymentId: string; attempt: number } => ({
  deploymentId,
  attempt,
});
const outcome = (running: Promise<unknown>): Promise<unknown> =>
  running.then(
    () => "done",
    (error: { code?: string }) => error.code ?? error,
  );
const sentMoreThan = (bytes: number): Promise<unknown> =>
  waitUntil(() => fixture.server.sent() > bytes, { everyMs: 3, signal: AbortSignal.timeout(30_000) });

function expectTree(commit: string): void {
  expect(treeDifferences(fixture.repository, commit, fixture.workspace)).toEqual([]);
}

/** All files of the workspace, without git's help: what is left over counts. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

function gitPids(): number[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const environ = readFileSync(`/proc/${pid}/environ`, "utf8");
      const isOurs = environ.includes("FAIRLEAD_GIT=") && environ.includes(fixture.folder);
      const isZombie = readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
      return isOurs && !isZombie ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });
}

/** Another Fairlead on the same data directory. */
function startWorker(
  commit: string,
  deploymentId: string,
  attempt: number,
): { worker: ChildProcess; said: Promise<string> } {
  const script = fileURLToPath(new URL("../../test/support/check-out-process.ts", import.meta.url));
  const worker = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"], env: {} });
  workers.push(worker);
  const { dataDir, workspace, remote } = fixture;
  const { url, key } = remote;
  worker.stdin.end(
    JSON.stringify({
      dataDir,
      workspace,
      url,
      key,
      commit,
      token: TEST_TOKEN,
      fence: fence(deploymentId, attempt),
    }),
  );
  return { worker, said: text(worker.stdout).then((said) => said.trim()) };
}

test("a higher attempt kills the lower one's git and has the workspace; the lower one learns it", async () => {
  const commit = fixture.repository.commit({ a: noise(300) });
  fixture.server.bytesPerSecond = 60_000;
  const first = outcome(fixture.checkOut(commit, { fence: fence("dep_1", 1) }));
  await sentMoreThan(30_000);
  fixture.server.bytesPerSecond = null;
  await fixture.checkOut(commit, { fence: fence("dep_1", 2) });
  expectTree(commit);
  expect(await first).toBe("LOST_WORKER");
  expect(gitPids()).toEqual([]);
  for (const attempt of [1, 0]) {
    expect(await outcome(fixture.checkOut(commit, { fence: fence("dep_1", attempt) }))).toBe("LOST_WORKER");
  }
  expect(await outcome(fixture.checkOut(commit, { fence: fence("dep_1", 2) }))).toBe("done");
});

test("a deployment that was displaced may not come back with an old attempt", async () => {
  const [one, two] = [fixture.repository.commit({ a: "1" }), fixture.repository.commit({ a: "2" })];
  await fixture.checkOut(one, { fence: fence("dep_1", 3) });
  await fixture.checkOut(two, { fence: fence("dep_2", 1) });
  expect(await outcome(fixture.checkOut(one, { fence: fence("dep_1", 3) }))).toBe("LOST_WORKER");
  expectTree(two);
  expect(await outcome(fixture.checkOut(one, { fence: fence("dep_1", 4) }))).toBe("done");
});

test("another deployment waits for a living holder, and gives up when it is told to", async () => {
  const one = fixture.repository.commit({ a: noise(100) });
  fixture.server.bytesPerSecond = 200_000;
  const first = outcome(fixture.checkOut(one, { fence: fence("dep_1", 1) }));
  await sentMoreThan(20_000);
  const two = fixture.repository.commit({ a: "2" });
  const impatient = fixture.checkOut(two, { fence: fence("dep_3", 1), signal: AbortSignal.timeout(100) });
  expect(await outcome(impatient)).toBe("GIT_FAILED");
  const second = outcome(fixture.checkOut(two, { fence: fence("dep_2", 1) }));
  expect(await Promise.all([first, second])).toEqual(["done", "done"]);
  expectTree(two);
});

test("a worker killed in the middle of a fetch leaves nothing that anybody waits for", async () => {
  expect.hasAssertions();
  const one = fixture.repository.commit({ a: noise(300) });
  fixture.server.bytesPerSecond = 60_000;
  const { worker } = startWorker(one, "dep_1", 1);
  await sentMoreThan(30_000);
  worker.kill("SIGKILL");
  await once(worker, "exit");
  fixture.server.bytesPerSecond = null;
  await fixture.checkOut(one, { fence: fence("dep_2", 1) });
  expectTree(one);
  await waitUntil(() => gitPids().length === 0, { everyMs: 10, signal: AbortSignal.timeout(5_000) });
});

test("a stopped worker loses its workspace, to a higher attempt or a later deployment, and learns it when it wakes up", async () => {
  for (const next of [fence("dep_1", 2), fence("dep_2", 1)]) {
    await fixture.source.forget(fixture.remote.key);
    const one = fixture.repository.commit({ a: noise(300), [next.deploymentId]: noise(1), only: "in one" });
    fixture.server.bytesPerSecond = 15_000; // twenty seconds in all: stopped long before the end, however busy the machine is
    const before = fixture.server.sent();
    const { worker, said } = startWorker(one, "dep_1", next.deploymentId === "dep_1" ? 1 : 3);
    await sentMoreThan(before + 15_000);
    worker.kill("SIGSTOP");
    fixture.server.bytesPerSecond = null;
    const two = fixture.repository.commit({ a: "2", only: null });
    await fixture.checkOut(two, { fence: next });
    expectTree(two);
    worker.kill("SIGCONT");
    expect(await said).toBe("LOST_WORKER");
    expectTree(two);
    expect(existsSync(join(fixture.workspace, "only"))).toBe(false);
  }
});

test("a worker that sleeps between two git commands while several others have the workspace learns it too", async () => {
  const state = join(fixture.folder, "state");
  const signal = AbortSignal.timeout(30_000);
  const git = createGit(await findGitTools("git", process.env["PATH"] ?? ""));
  const hold = await takeWorkspace(state, fence("dep_1", 1), signal);
  const workspace = { ...hold, index: join(state, "index") };
  const command = {
    args: ["version"],
    guard: { work: "deploy", workspace },
    timeoutMs: 5_000,
    signal,
  } as const;
  expect(await outcome(git(command))).toBe("done");
  for (const attempt of [2, 3]) await takeWorkspace(state, fence("dep_1", attempt), signal);
  expect(await outcome(git(command))).toBe("LOST_WORKER");
});

test("killed at any moment, itself or its git, it leaves a workspace and a mirror that the next one brings right", async () => {
  const many = (round: number): Record<string, string> =>
    Object.fromEntries(
      Array.from({ length: 150 }, (_, i) => [`r${round}/d${i % 10}/f${i}`, `${round} ${i}`]),
    );
  const base = fixture.repository.commit({ base: "base" });
  for (let round = 0; round < 8; round++) {
    const commit = fixture.repository.commit(many(round), { parent: base });
    const { worker, said } = startWorker(commit, `dep_${round}`, 1);
    const victims = round % 2 === 0 ? "worker" : "git";
    await waitUntil(() => gitPids().length > 0 || worker.exitCode !== null, {
      everyMs: 1,
      signal: AbortSignal.timeout(30_000),
    });
    await new Promise((resolve) => setTimeout(resolve, round * 12));
    if (victims === "worker") worker.kill("SIGKILL");
    else {
      for (const pid of gitPids()) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // ended by itself
        }
      }
    }
    await said;
    const next = fixture.repository.commit({ base: `after ${round}`, [`n${round}`]: "n" }, { parent: base });
    await fixture.checkOut(next, { fence: fence(`dep_${round}_next`, 1) });
    expectTree(next);
    expect(filesIn(fixture.workspace)).toEqual(["base", `n${round}`]);
  }
});
