import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { waitUntil } from "../../src/kernel/retry.ts";
import { run } from "../../src/kernel/run.ts";
import { startAsking } from "../support/asking.ts";
import { APP, openStage, type E2eStage } from "../support/e2e-stage.ts";
import { holdIn, outcome, STEPS, type Step } from "../support/hold.ts";
import { findProcesses } from "../support/leftovers.ts";
import { sample } from "../support/sample.ts";

const programs = async (stage: E2eStage, name: "__edge" | "__launcher"): Promise<number[]> =>
  (await findProcesses(stage.fairlead.dataDir))
    .filter((line) => line.includes(` ${name} `))
    .map((line) => Number.parseInt(line, 10));

/** One process of the app, one launcher over it, and every row says the same. */
async function expectOneLive(stage: E2eStage, version: string, commit: string): Promise<void> {
  await waitUntil(() => stage.gates.alive().length === 1, {
    everyMs: 100,
    signal: AbortSignal.timeout(30_000),
  }).catch(() => {});
  expect(stage.gates.alive()).toEqual([version]);
  expect(await programs(stage, "__launcher")).toHaveLength(1);
  expect(await stage.ask()).toBe(version);
  expect(await outcome(stage, APP, commit)).toEqual({ live: 1, ended: ["live"], liveCommits: [commit] });
  await stage.waitForStatus(commit, "success");
}

/** `kill -9` of the server while a deployment stands in `step`. */
async function killServerIn(stage: E2eStage, step: Step): Promise<void> {
  const asking = startAsking(stage.fairlead.edge, stage.host);
  const { deployment, underWay, letGo } = await holdIn(stage, step, "v2");
  await stage.fairlead.kill();
  await letGo();
  await stage.fairlead.start();
  await stage.waitForLive(deployment.id, 60);
  expect(await underWay).toBe("v1");
  expect(await asking.stop()).toMatchObject({ failures: [], bodies: ["v1", "v2"] });
  await expectOneLive(stage, "v2", deployment.commit);
}

async function killDatabase(stage: E2eStage): Promise<void> {
  const asking = startAsking(stage.fairlead.edge, stage.host);
  const { deployment, letGo } = await holdIn(stage, "building", "v2");
  const [postmaster = ""] = (
    await readFile(join(stage.fairlead.dataDir, "pg18/postmaster.pid"), "utf8")
  ).split("\n");
  process.kill(Number(postmaster), "SIGKILL");
  await letGo();
  await stage.waitForLive(deployment.id, 90);
  expect(await asking.stop()).toMatchObject({ failures: [], bodies: ["v1", "v2"] });
  await expectOneLive(stage, "v2", deployment.commit);
}

async function killEdge(stage: E2eStage): Promise<void> {
  const [edge] = await programs(stage, "__edge");
  const limit = Math.max(1000, 6 * (await startOfNode())); // a second, unless this machine takes that long to start anything
  process.kill(edge!, "SIGKILL");
  const killed = performance.now();
  const answer = await waitUntil(() => stage.ask().catch(() => null), {
    everyMs: 10,
    signal: AbortSignal.timeout(30_000),
  });
  expect(answer).toBe("v1");
  expect(performance.now() - killed).toBeLessThan(limit);
  expect(await programs(stage, "__edge")).not.toEqual([edge]);
  await stage.pushLive("v2");
  expect(await stage.ask()).toBe("v2");
}

/** Milliseconds. */
async function startOfNode(): Promise<number> {
  const begun = performance.now();
  await run(process.execPath, ["-e", "0"], { env: {}, timeoutMs: 30_000 });
  return performance.now() - begun;
}

async function killLauncher(stage: E2eStage): Promise<void> {
  const [launcher] = await programs(stage, "__launcher");
  process.kill(launcher!, "SIGKILL");
  await waitUntil(() => stage.gates.alive().length === 0, {
    everyMs: 10,
    signal: AbortSignal.timeout(10_000),
  }); // its app dies with it
  await waitUntil(() => stage.ask().catch(() => null), { everyMs: 100, signal: AbortSignal.timeout(30_000) });
  await waitUntil(async () => (await programs(stage, "__launcher")).length === 1, {
    everyMs: 100,
    signal: AbortSignal.timeout(30_000),
  });
  expect(stage.gates.alive()).toEqual(["v1"]);
}

async function stopBySignals(stage: E2eStage): Promise<void> {
  const { fairlead } = stage;
  const before = await programs(stage, "__launcher");
  const asking = startAsking(fairlead.edge, stage.host);
  expect(await fairlead.end("SIGTERM")).toBe(0);
  expect(await stage.ask()).toBe("v1");
  await fairlead.start();
  await stage.pushLive("v2");
  expect(await asking.stop()).toMatchObject({ failures: [], bodies: ["v1", "v2"] });
  expect(await programs(stage, "__launcher")).not.toEqual(before);
  expect(await fairlead.end("SIGINT")).toBe(0);
  expect(await findProcesses(fairlead.dataDir)).toEqual([]);
  expect(stage.gates.alive()).toEqual([]);
}

const CASES: Readonly<Record<string, (stage: E2eStage) => Promise<void>>> = {
  ...Object.fromEntries(
    STEPS.map((step) => [`kill -9 of the server in ${step}`, (stage: E2eStage) => killServerIn(stage, step)]),
  ),
  "kill -9 of PostgreSQL": killDatabase,
  "kill -9 of the edge": killEdge,
  "kill -9 of a launcher": killLauncher,
  "SIGTERM and SIGINT": stopBySignals,
};

/** A sample mostly waits, for leases to run out: its cases run together. All of them at once would be too much for a small machine. */
const each = process.env["FAIRLEAD_FULL"] ? test : test.concurrent;

describe("what was live stays live, and a deployment under way ends live", () => {
  each.for(sample("crashes", Object.keys(CASES), 2))("%s", async (name, { onTestFinished }) => {
    const stage = await openStage();
    onTestFinished(() => stage[Symbol.asyncDispose]());
    await stage.link();
    await stage.pushLive("v1");
    await expect(CASES[name]!(stage)).resolves.toBeUndefined();
  });
});
