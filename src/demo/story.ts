import { join } from "node:path";
import { api, type DeploymentAnswer } from "../http/contract.ts";
import { waitUntil } from "../kernel/retry.ts";
import { deadline } from "../kernel/clock.ts";
import { appFiles, GREETINGS, type Version } from "./app.ts";
import { createDemoClient, type DemoClient } from "./client.ts";
import { get, startLoad, type LoadResult } from "./load.ts";
import { openClone, type DeveloperClone } from "./push.ts";
import type { DemoServer, DemoWorld } from "./stage.ts";
import type { Teller } from "./teller.ts";

export interface Demo {
  readonly world: DemoWorld;
  readonly server: DemoServer;
  readonly tell: Teller;
  /** Where programs are found. */
  readonly searchPath: string;
  readonly signal: AbortSignal;
}

const HOST = "hello.localhost";

/** The main job from the first token to a rollback, each step one line. Throws when anything is not as it should be: a demonstration that hides a failure is worth nothing. */
export async function playStory(demo: Demo): Promise<{ readonly url: string }> {
  const client = createDemoClient(demo.server.apiUrl, demo.server.apiToken, demo.signal);
  await connectAndLink(demo, client);
  const clone = await openClone({
    folder: join(demo.world.folder, "clone"),
    url: demo.world.cloneUrl,
    token: demo.world.gitlabToken,
    path: demo.searchPath,
    signal: demo.signal,
  });
  const url = await firstPush(demo, client, clone);
  await secondPush(demo, client, clone);
  await brokenPush(demo, client, clone);
  await rollBack(demo, client);
  return { url };
}

async function connectAndLink(demo: Demo, client: DemoClient): Promise<void> {
  const { sandbox, gitlabToken, projectId } = demo.world;
  await demo.tell.step("connect", async () => {
    const body = { url: sandbox.url, token: gitlabToken.reveal(), name: "sandbox" };
    const { connection } = await client.call(api.connect, { body });
    return `Connected to GitLab ${connection.version} as @${connection.username}: scopes ${connection.tokenScopes.join(", ")}`;
  });
  await demo.tell.step("link", async () => {
    const app = await client.call(api.link, {
      body: { connection: "sandbox", project: "acme/hello", branch: "main" },
    });
    const hooks = [...sandbox.rows.hooks.values()].filter((hook) => hook.projectId === projectId);
    if (hooks.length !== 1 || app.deployKeyId === null)
      throw new Error("the webhook or the deploy key is missing in GitLab");
    const signed = app.hook.signed ? "signed webhook" : "webhook";
    return `Linked acme/hello as ${app.name}: ${signed} ${hooks[0]?.id} and read-only deploy key ${app.deployKeyId} are in GitLab`;
  });
}

async function firstPush(demo: Demo, client: DemoClient, clone: DeveloperClone): Promise<string> {
  const deployment = await demo.tell.make("first push", async () => {
    const live = await pushAndWait(demo, client, clone, "first", "live");
    return {
      text: `git push, webhook, check out, build, start, healthy, switch: live at ${live.url}`,
      value: live,
    };
  });
  await demo.tell.step(
    "live",
    async () => `GET ${deployment.url} answers: ${await expectGreeting(demo, "first")}`,
  );
  return deployment.url;
}

async function secondPush(demo: Demo, client: DemoClient, clone: DeveloperClone): Promise<void> {
  await demo.tell.step("second push", async () => {
    const load = startLoad(demo.server.edge, HOST);
    const result = await pushAndWait(demo, client, clone, "second", "live").then(
      () => load.stop(),
      async (error: unknown) => {
        await load.stop();
        throw error;
      },
    );
    refuseFailures(result);
    return `Second push replaced it under ${result.rate} requests/s: ${result.kept} on kept and ${result.fresh} on fresh connections, ${result.failed} failed`;
  });
  await demo.tell.step("live", async () => `GET answers: ${await expectGreeting(demo, "second")}`);
}

function refuseFailures(result: LoadResult): void {
  if (result.failed > 0)
    throw new Error(`${result.failed} requests failed during the switch: ${result.failures.join("; ")}`);
  if (result.rate < 100)
    throw new Error(
      `only ${result.rate} requests a second were sent: this machine is too busy for the proof`,
    );
}

async function brokenPush(demo: Demo, client: DemoClient, clone: DeveloperClone): Promise<void> {
  await demo.tell.step("broken push", async () => {
    const failed = await pushAndWait(demo, client, clone, "broken", "failed");
    return `Third push is broken and fails: ${failed.fault?.code} (${failed.fault?.reason}). ${failed.fault?.message}`;
  });
  await demo.tell.step("live", async () => `GET still answers: ${await expectGreeting(demo, "second")}`);
}

async function rollBack(demo: Demo, client: DemoClient): Promise<void> {
  await demo.tell.step("rollback", async () => {
    const { id } = await client.call(api.rollback, { params: { app: "hello" }, body: {} });
    await waitForEnd(demo, client, id, "live");
    return `Rollback to the first release, without building`;
  });
  await demo.tell.step("live", async () => `GET answers: ${await expectGreeting(demo, "first")}`);
}

async function pushAndWait(
  demo: Demo,
  client: DemoClient,
  clone: DeveloperClone,
  version: Version,
  state: "live" | "failed",
): Promise<DeploymentAnswer> {
  const commit = await clone.push(appFiles(version), `The ${version} version`);
  const limit = deadline(120_000, demo.signal);
  const deployment = await waitUntil(
    async () => {
      const { deployments } = await client.call(api.listDeployments, { params: { app: "hello" } });
      return deployments.find((one) => one.commit === commit);
    },
    { everyMs: 50, signal: limit },
  );
  return waitForEnd(demo, client, deployment.id, state);
}

async function waitForEnd(
  demo: Demo,
  client: DemoClient,
  id: string,
  state: "live" | "failed",
): Promise<DeploymentAnswer> {
  const ended = await waitUntil(
    async () => {
      const deployment = await client.call(api.getDeployment, { params: { deployment: id } });
      return deployment.finishedAt === null ? null : deployment;
    },
    { everyMs: 50, signal: deadline(120_000, demo.signal) },
  );
  if (ended.state !== state)
    throw new Error(`the deployment ended as ${ended.state}: ${ended.fault?.message ?? "no fault"}`);
  return ended;
}

async function expectGreeting(demo: Demo, version: Version): Promise<string> {
  const body = await get(demo.server.edge, HOST, false);
  if (body !== GREETINGS[version]) throw new Error(`the app answers ${JSON.stringify(body)}`);
  return JSON.stringify(body);
}
