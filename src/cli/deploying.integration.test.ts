import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { runFairlead } from "../../test/support/cli.ts";
import { startTestServer } from "../../test/support/http-server.ts";
import { app, deployment, fakeServices } from "../../test/support/services.ts";
import type { DeploymentView, LogLine } from "../deployments/deployments.ts";
import { sleep } from "../kernel/clock.ts";

/** A deployment that takes a few polls, and ends as told. */
function lifeOf(end: Partial<DeploymentView>) {
  let polls = 0;
  const begun = { ...deployment, state: "queued", steps: [], finishedAt: null } as const;
  const running = {
    ...begun,
    state: "building",
    steps: [deployment.steps[0]!, { ...deployment.steps[1]!, state: "running", finishedAt: null }],
  } as const;
  const get = async (): Promise<DeploymentView> => (++polls < 3 ? running : { ...deployment, ...end });
  const logs = async function* (): AsyncGenerator<LogLine> {
    for (let seq = 1; seq <= 40; seq++) yield { seq, at: new Date(), text: `log line ${seq}` };
  };
  return { deploy: async () => begun, get, logs };
}

test("deploy waits, shows each step once, and says where it is live", async () => {
  await using server = await startTestServer({ services: fakeServices({ deployments: lifeOf({}) }) });
  const run = await runFairlead(server.url, "deploy shop");
  expect(run.code).toBe(0);
  expect(run.out).toContain("live at http://shop.localhost:8080");
  expect(run.err.match(/check out/g)).toHaveLength(1);
  expect(run.err).not.toContain("\u001B");
  const json = await runFairlead(server.url, "deploy shop --json");
  expect(JSON.parse(json.out)).toMatchObject({ state: "live", number: 12 });
  const queued = await runFairlead(server.url, "deploy shop --no-wait --json");
  expect(JSON.parse(queued.out)).toMatchObject({ state: "queued" });
});

test("a deployment that fails: the end of its log, cause and fix, exit 1", async () => {
  const fault = { code: "UNHEALTHY", reason: "timeout", message: "It did not answer within 60 s." };
  await using server = await startTestServer({
    services: fakeServices({ deployments: lifeOf({ state: "failed", fault }) }),
  });
  const run = await runFairlead(server.url, "deploy shop");
  expect(run.code).toBe(1);
  expect(run.err).toContain("log line 40");
  expect(run.err).not.toContain("log line 20\n");
  expect(run.err).toMatch(/UNHEALTHY[^]*Fix:/);
});

test("Ctrl-C stops the waiting and says that the deployment goes on", async () => {
  const ctrlC = new AbortController();
  const life = {
    ...lifeOf({}),
    get: async () => ({ ...deployment, finishedAt: null, state: "building" }) as DeploymentView,
  };
  await using server = await startTestServer({ services: fakeServices({ deployments: life }) });
  const onOutput = (text: string): void => {
    if (text.includes("check out")) ctrlC.abort();
  };
  const run = await runFairlead(server.url, "deploy shop", { signal: ctrlC.signal, onOutput });
  expect(run.code).toBe(130);
  expect(run.err).toContain("logs --deployment dep_1 -f");
});

test("logs -f goes on after the last line when the server was away", async () => {
  let calls = 0;
  const logs = async function* (): AsyncGenerator<LogLine> {
    calls++;
    for (let seq = 1; seq <= 4; seq++) {
      if (seq === 3 && calls === 1) server.server.server.closeAllConnections();
      await sleep(20);
      yield { seq, at: new Date(), text: `line ${seq}` };
    }
  };
  await using server = await startTestServer({
    services: fakeServices({ deployments: { get: async () => deployment, logs } }),
  });
  const run = await runFairlead(server.url, "logs --deployment dep_1 -f");
  expect([run.code, run.out, calls]).toEqual([0, "line 1\nline 2\nline 3\nline 4\n", 2]);
});

test("Ctrl-C ends logs -f quietly, and so does a reader that has enough", async () => {
  const runLogs = async function* (
    _app: string,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<string> {
    for (let line = 1; !signal.aborted; line++) {
      yield `line ${line}`;
      await sleep(2, signal);
    }
  };
  await using server = await startTestServer({
    services: fakeServices({ apps: { get: async () => app }, deployments: { runLogs } }),
  });
  const ctrlC = new AbortController();
  const onOutput = (text: string): void => {
    if (text.includes("line 3")) ctrlC.abort();
  };
  const run = await runFairlead(server.url, "logs shop -f", { signal: ctrlC.signal, onOutput });
  expect([run.code, run.err]).toEqual([0, ""]);
  const head = new Writable({
    write: (_part, _encoding, done) => done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" })),
  });
  expect((await runFairlead(server.url, "logs shop -f", { stdout: head })).err).toBe("");
});
