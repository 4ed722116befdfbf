import type { Client } from "pg";
import { api, type DeploymentAnswer } from "../../src/http/contract.ts";
import { ballast, type E2eStage } from "./e2e-stage.ts";

export const STEPS = ["checking_out", "building", "starting", "verifying", "switching", "draining"] as const;
export type Step = (typeof STEPS)[number];

/** A deployment that stands in one step until it is let go. */
export interface Held {
  readonly deployment: DeploymentAnswer;
  /** What the old release was asked before the push; in `draining` it answers only when let go. */
  readonly underWay: Promise<string>;
  readonly letGo: () => Promise<void>;
}

/**
 * Pushes `version` and holds its deployment in a step: a slowed git, a door in the build or the app, a request that the old release has not answered,
 * or a lock in the database where nothing else makes the step long enough.
 */
export async function holdIn(stage: E2eStage, step: Step, version: string): Promise<Held> {
  const held = await HOLDS[step](stage, version);
  await stage.waitForState(held.deployment.id, step);
  return held;
}

const HOLDS: Readonly<Record<Step, (stage: E2eStage, version: string) => Promise<Held>>> = {
  async checking_out({ sandbox, push, ask }, version) {
    const underWay = ask();
    sandbox.faults.git.bytesPerSecond = 4000;
    const deployment = await push(version, ballast(400));
    return { deployment, underWay, letGo: async () => void (sandbox.faults.git.bytesPerSecond = null) };
  },
  async building({ gates, push, ask }, version) {
    const underWay = ask();
    gates.shut("build");
    const deployment = await push(version);
    await gates.waitFor("build", version);
    return { deployment, underWay, letGo: async () => gates.open("build") };
  },
  async starting(stage, version) {
    const building = await HOLDS.building(stage, version);
    const lock = await lockTable(stage, "replica"); // a replica's row comes before its process
    await building.letGo();
    return { ...building, letGo: () => unlock(lock) };
  },
  async verifying({ gates, push, ask }, version) {
    const underWay = ask();
    gates.shut("listen");
    const deployment = await push(version);
    await gates.waitFor("listen", version);
    return { deployment, underWay, letGo: async () => gates.open("listen") };
  },
  async switching(stage, version) {
    const verifying = await HOLDS.verifying(stage, version);
    const lock = await lockTable(stage, "route"); // written when the edge has switched already
    await verifying.letGo();
    return { ...verifying, letGo: () => unlock(lock) };
  },
  async draining(stage, version) {
    stage.gates.shut("answer");
    const underWay = stage.ask("/slow");
    underWay.catch(() => {}); // awaited by the test
    await stage.gates.waitFor("answer", await stage.ask());
    return { deployment: await stage.push(version), underWay, letGo: async () => stage.gates.open("answer") };
  },
};

/** Readers pass, writers wait. */
async function lockTable(stage: E2eStage, table: "replica" | "route"): Promise<Client> {
  const client = await stage.database();
  await client.query("begin");
  await client.query(`lock table ${table} in share mode`);
  return client;
}

/** The database may be gone with the server. */
async function unlock(client: Client): Promise<void> {
  await client.query("rollback").catch(() => {});
  await client.end().catch(() => {});
}

/** What of a deployment is worth telling apart afterwards: how often it went live, and which releases serve. */
export async function outcome(
  { fairlead }: E2eStage,
  app: string,
  commit: string,
): Promise<{ live: number; ended: string[]; liveCommits: string[] }> {
  const { events } = await fairlead.client.call(api.listEvents, { params: { app } });
  const { releases } = await fairlead.client.call(api.listReleases, { params: { app } });
  const { deployments } = await fairlead.client.call(api.listDeployments, { params: { app } });
  return {
    live: events.filter((event) => event.kind === "live" && event.text.startsWith(commit.slice(0, 8))).length,
    ended: deployments.filter((one) => one.commit === commit).map((one) => one.state),
    liveCommits: releases.filter((release) => release.live).map((release) => release.commit),
  };
}
