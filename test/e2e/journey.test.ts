import { randomBytes } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { DeploymentAnswer } from "../../src/http/contract.ts";
import { waitUntil } from "../../src/kernel/retry.ts";
import type { Hook } from "../../src/sandbox/state.ts";
import { startAnswering } from "../support/answering-server.ts";
import { APP, openStage, type E2eStage } from "../support/e2e-stage.ts";
import { holdIn } from "../support/hold.ts";
import { findProcesses } from "../support/leftovers.ts";
import { callHook } from "../support/signed-call.ts";

/** What `--json` prints, whatever the command: a test that reads a wrong field fails by it. */
// oxlint-disable-next-line typescript/no-explicit-any
type Told = any;

/** One JSON object, or one per line, of a command that ended well. */
async function told(stage: E2eStage, words: string, input?: string): Promise<Told[]> {
  const { code, out, err } = await stage.fairlead.cli([...words.split(" "), "--json"], input);
  if (code !== 0) throw new Error(`fairlead ${words} ended with ${code}: ${err}${out}`); // progress is on stderr too
  return out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

async function count(stage: E2eStage, table: string): Promise<number> {
  const database = await stage.database();
  const { rows } = await database.query<{ count: string }>(`select count(*) from ${table}`);
  await database.end();
  return Number(rows[0]?.count);
}

const onlyHook = (stage: E2eStage): Hook => {
  const hooks = [...stage.sandbox.rows.hooks.values()];
  expect(hooks).toHaveLength(1);
  return hooks[0]!;
};

/** What a person may get wrong: each named with cause and fix, and nothing kept. */
async function wrongConnections(stage: E2eStage): Promise<void> {
  const { sandbox, fairlead, folder } = stage;
  await using html = await startAnswering(() => ({ body: "<html><title>Welcome</title></html>" }));
  const token = (scopes: string[]): string =>
    sandbox.state.createToken({ user: [...sandbox.rows.users.values()].at(-1)!, scopes }).value;
  const file = join(folder, "token.txt");
  await writeFile(file, token(["read_api", "read_repository"]), { mode: 0o600 });
  const wrong: [code: string, words: string[], input?: string][] = [
    ["NOT_GITLAB", ["connect", html.url], token(["api"])],
    [
      "AUTH_FAILED",
      ["connect", sandbox.url, "--token-file", "-"],
      `glpat-${randomBytes(15).toString("base64url")}\n`,
    ],
    ["INSUFFICIENT_SCOPES", ["connect", sandbox.url, "--token-file", file]],
  ];
  for (const [code, words, input] of wrong) {
    const ended = await fairlead.cli([...words, "--json"], input);
    const { ok, error } = JSON.parse(ended.out);
    expect({ exit: ended.code, ok, code: error.code }).toEqual({ exit: 1, ok: false, code });
    expect(error.cause).toMatch(/\w+ \w+/);
    expect(error.fix.join(" ")).toMatch(/\w+ \w+/);
    const spoken = await fairlead.cli(words, input);
    expect(spoken).toMatchObject({ code: 1, out: "" });
    expect(spoken.err).toContain(code);
    expect(spoken.err).toContain("Fix:");
  }
  expect(JSON.stringify(html.asked)).not.toContain("glpat-");
  expect(await count(stage, "connection")).toBe(0);
}

async function connectAndLink(stage: E2eStage): Promise<void> {
  const { sandbox, fairlead, gitlabToken } = stage;
  const [connected] = await told(stage, `connect ${sandbox.url} --name box`, `${gitlabToken.reveal()}\n`);
  expect(connected).toMatchObject({
    schema: 1,
    ok: true,
    error: null,
    connection: { name: "box" },
    token: { scopes: ["api"], user: "ada" },
  });
  const [app] = await told(stage, `link box acme/${APP} --branch main`);
  expect(app).toMatchObject({ name: APP, hook: { state: "active", signed: true } });
  const hook = onlyHook(stage);
  expect(hook).toMatchObject({
    id: expect.any(Number),
    projectId: stage.project.id,
    enableSslVerification: true,
  });
  expect([...hook.events]).toContain("push_events");
  expect(hook.url).toMatch(new RegExp(`^${fairlead.apiUrl}/hooks/gitlab/[\\w-]{16,}$`));
  expect(hook.signingToken).toMatch(/^whsec_.{40,}$/);
  const links = [...sandbox.rows.deployKeyLinks];
  expect(links).toEqual([{ projectId: stage.project.id, keyId: app.deployKeyId, canPush: false }]);
  expect(sandbox.rows.deployKeys.get(app.deployKeyId)?.key).toMatch(/^ssh-ed25519 AAAA/);
}

async function firstPush(stage: E2eStage): Promise<void> {
  stage.gates.shut("build");
  const { id, commit } = await stage.push("v1");
  await stage.gates.waitFor("build", "v1");
  expect(await stage.waitForStatus(commit, "running")).toMatchObject({
    ref: "main",
    name: `fairlead/${APP}/production`,
  });
  stage.gates.open("build");
  await stage.waitForLive(id);
  expect(await stage.ask()).toBe("v1");
  const url = (await told(stage, `app ${APP}`))[0].environments[0].url;
  expect(await stage.waitForStatus(commit, "success")).toMatchObject({
    targetUrl: url,
    startedAt: expect.any(String),
  });
  expect(await toldGitLab(stage, commit)).toEqual(["pending sent", "running sent", "success sent"]);
  const [delivery] = await told(stage, `deliveries ${APP}`);
  expect(delivery).toMatchObject({
    event: "push",
    ref: "refs/heads/main",
    verdict: "deployed",
    deployments: [id],
  });
}

async function toldGitLab(stage: E2eStage, commit: string): Promise<string[]> {
  const database = await stage.database();
  const { rows } = await database.query<{ told: string }>(
    "select payload->>'state' || ' ' || state as told from outbox where payload->>'sha' = $1 order by id",
    [commit],
  );
  await database.end();
  return rows.map((row) => row.told);
}

/** A branch that is not deployed: answered well, kept with the reason. */
async function otherBranch(stage: E2eStage): Promise<void> {
  await stage.clone.push({ "note.txt": "x" }, "Try something", "feature/x");
  const delivery = await waitUntil(
    async () =>
      (await told(stage, `deliveries ${APP}`)).find(
        (one) => one.ref === "refs/heads/feature/x" && one.verdict !== null,
      ),
    { everyMs: 200, signal: AbortSignal.timeout(60_000) },
  );
  expect(delivery).toMatchObject({ verdict: "ignored", deployments: [] });
  expect(delivery.reason).toMatch(/feature\/x/);
  await stage.sandbox.settled();
  const call = stage.sandbox.deliveries().findLast((one) => one.requestBody.includes("refs/heads/feature/x"));
  expect(call?.responseStatus).toBe(202);
  expect(await told(stage, `deployments ${APP}`)).toHaveLength(1);
}

/** Strangers and nonsense: the right answer, a count, and not one row more. */
async function badCalls(stage: E2eStage): Promise<void> {
  const hook = onlyHook(stage);
  const before = await count(stage, "delivery");
  const stranger = `whsec_${randomBytes(32).toString("base64")}`;
  expect((await callHook(hook, '{"object_kind":"push"}', { signingToken: stranger })).status).toBe(401);
  expect((await callHook({ ...hook, signingToken: stranger, token: "guess" }, "{}")).status).toBe(401);
  expect((await callHook(hook, "this is not JSON")).status).toBe(400);
  expect((await callHook(hook, JSON.stringify({ padding: "x".repeat(27 * 1024 * 1024) }))).status).toBe(413);
  expect(
    (await callHook({ ...hook, url: `${stage.fairlead.apiUrl}/hooks/gitlab/nobody` }, "{}")).status,
  ).toBe(404);
  expect(await count(stage, "delivery")).toBe(before);
  expect(await count(stage, "linked_project where bad_secret_count = 2")).toBe(1);
  const { fairlead } = stage;
  const metrics = await fetch(`${fairlead.apiUrl}/metrics`, {
    headers: { authorization: `Bearer ${fairlead.apiToken}` },
  });
  expect(await metrics.text()).toMatch(/^fairlead_bad_secrets_total 2$/m);
  expect(await stage.ask()).toBe("v1");
}

async function brokenPush(stage: E2eStage): Promise<void> {
  const broken = { "server.mjs": `console.error("no DATABASE_PASSWORD"); process.exit(3);\n` };
  const { id, commit } = await stage.push("broken", broken);
  const ended = await stage.fairlead.waitForEnd(id);
  expect(ended).toMatchObject({ state: "failed", fault: { code: "UNHEALTHY", reason: "exited" } });
  const log = await stage.fairlead.cli(["logs", "--deployment", id]);
  expect(log.out).toContain("no DATABASE_PASSWORD");
  expect(await stage.ask()).toBe("v1");
  await stage.waitForStatus(commit, "failed");
}

async function cancelled(stage: E2eStage): Promise<void> {
  stage.gates.shut("build");
  const { id, commit } = await stage.push("never");
  await stage.gates.waitFor("build", "never");
  await told(stage, `cancel ${id}`);
  expect(await stage.fairlead.waitForEnd(id)).toMatchObject({ state: "cancelled" });
  stage.gates.open("build");
  expect(await stage.ask()).toBe("v1");
  await stage.waitForStatus(commit, "canceled");
}

/** A request that the old release has not answered yet holds it; new ones are answered by the new release meanwhile. */
async function replaceWhileAnswering(stage: E2eStage): Promise<DeploymentAnswer> {
  const { deployment, underWay, letGo } = await holdIn(stage, "draining", "v2");
  expect(await stage.ask()).toBe("v2");
  await sleep(1500); // longer than the drain of a release that has nothing to do
  await stage.waitForState(deployment.id, "draining");
  expect(stage.gates.alive().toSorted()).toEqual(["v1", "v2"]);
  await letGo();
  expect(await underWay).toBe("v1");
  return stage.waitForLive(deployment.id);
}

async function rollbackAndRedeploy(stage: E2eStage): Promise<void> {
  const second = await replaceWhileAnswering(stage);
  const [back] = await told(stage, `rollback ${APP}`);
  expect(back).toMatchObject({ state: "live", cause: "rollback" });
  expect(await stage.ask()).toBe("v1");
  const redeployed = await told(stage, `redeploy ${APP}`);
  expect(redeployed.at(-1)).toMatchObject({ state: "live", cause: "redeploy", commit: back.commit });
  const deployed = await told(stage, `deploy ${APP}`);
  expect(deployed.at(-1)).toMatchObject({ state: "live", cause: "manual", commit: second.commit });
  expect(await stage.ask()).toBe("v2");
}

/** Nothing of it is left in GitLab, among the processes, in the files, at the edge. */
async function unlinkAndDisconnect(stage: E2eStage): Promise<void> {
  const { sandbox, fairlead, gates } = stage;
  expect(await told(stage, `unlink ${APP}`)).toEqual([{ left: [] }]);
  expect([...sandbox.rows.hooks.values()]).toEqual([]);
  expect([...sandbox.rows.deployKeyLinks]).toEqual([]);
  await expect(stage.ask()).rejects.toThrow(/404/);
  expect(gates.alive()).toEqual([]);
  expect(
    (await findProcesses(fairlead.dataDir)).filter((line) => /__launcher|bwrap|server\.mjs/.test(line)),
  ).toEqual([]);
  expect(await left(fairlead.dataDir)).toEqual([]);
  expect(await told(stage, "apps")).toEqual([]);
  expect(await told(stage, "disconnect box")).toEqual([{ left: [] }]);
  expect(await count(stage, "connection")).toBe(0);
  expect(await count(stage, "linked_project")).toBe(0);
}

/**
 * Files that name an app, a connection or anything of theirs. Two kinds may stay: the fences that refuse a worker which wakes up late (for a day), and
 * the empty files by which the programs of two Fairleads wait for each other.
 */
async function left(dataDir: string): Promise<string[]> {
  const paths = await readdir(dataDir, { recursive: true });
  const mayStay = /^(runtime\/(fences|builds)|source\/locks)\//;
  return paths.filter(
    (path) => /(app|con|env|rel|rpl|dep)_[0-9a-z]{16}|server\.mjs|\.pack/.test(path) && !mayStay.test(path),
  );
}

test("the whole journey: wrong connections, connect, link, push, refuse, break, cancel, roll back, redeploy, unlink, disconnect", async () => {
  const stage = await openStage();
  onTestFinished(() => stage[Symbol.asyncDispose]());
  await wrongConnections(stage);
  await connectAndLink(stage);
  await firstPush(stage);
  await otherBranch(stage);
  await badCalls(stage);
  await brokenPush(stage);
  await cancelled(stage);
  await rollbackAndRedeploy(stage);
  await unlinkAndDisconnect(stage);
  expect(await stage.fairlead.end("SIGINT")).toBe(0);
  expect(await findProcesses(stage.fairlead.dataDir)).toEqual([]);
});
