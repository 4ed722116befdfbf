import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { waitUntil } from "../../src/kernel/retry.ts";
import { startAsking } from "../support/asking.ts";
import { APP, openStage } from "../support/e2e-stage.ts";
import { holdIn, outcome, STEPS } from "../support/hold.ts";
import { sample } from "../support/sample.ts";

/** Longer than the lease of a worker's claim and than the queue's heartbeat, both 10 s. */
const PAUSE_MS = 15_000;

describe("a server that stands still for 15 s changes nothing but time", () => {
  test.each(sample("pauses", STEPS, 1))("in %s", async (step) => {
    const stage = await openStage();
    onTestFinished(() => stage[Symbol.asyncDispose]());
    await stage.link();
    await stage.pushLive("v1");
    const { fairlead, gates } = stage;
    const asking = startAsking(fairlead.edge, stage.host);
    const { deployment, underWay, letGo } = await holdIn(stage, step, "v2");

    process.kill(fairlead.pid(), "SIGSTOP");
    await sleep(PAUSE_MS / 2);
    await letGo(); // what it waited for happens while it sleeps
    await sleep(PAUSE_MS / 2);
    process.kill(fairlead.pid(), "SIGCONT");

    await stage.waitForLive(deployment.id, 90);
    expect(await underWay).toBe("v1");
    expect(await asking.stop()).toMatchObject({ failures: [], bodies: ["v1", "v2"] });
    await waitUntil(() => gates.alive().length === 1, {
      everyMs: 100,
      signal: AbortSignal.timeout(30_000),
    }).catch(() => {});
    expect(gates.alive()).toEqual(["v2"]);
    expect(await outcome(stage, APP, deployment.commit)).toEqual({
      live: 1,
      ended: ["live"],
      liveCommits: [deployment.commit],
    });
    await stage.waitForStatus(deployment.commit, "success");
  });
});
