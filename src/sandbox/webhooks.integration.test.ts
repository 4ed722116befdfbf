import { createHmac, randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startAnswering, type AnsweringServer, type Reply } from "../../test/support/answering-server.ts";
import { ZEROS } from "./git/refs.ts";
import { openScene, type Scene } from "./scene.suite.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into payloads freely
type Payload = Record<string, any>;

let scene: Scene;
let receiver: AnsweringServer;
let reply: Reply = {};
beforeAll(async () => {
  scene = await openScene();
  receiver = await startAnswering(() => reply);
  await scene.git("clone", scene.remote(), "work");
});
afterAll(async () => {
  await scene[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});
beforeEach(() => {
  reply = {};
  receiver.asked.length = 0;
  scene.sandbox.rows.hooks.clear();
});

async function hook(given: Record<string, unknown> = {}): Promise<{ id: number }> {
  const answer = await scene.call("POST", "/projects/1/hooks", { url: receiver.url, ...given });
  expect(answer.status).toBe(201);
  return answer.body;
}

async function push(...words: string[]): Promise<Payload[]> {
  const outcome = await scene.git("-C", "work", "push", ...words);
  expect(outcome).toMatchObject({ ok: true });
  await scene.sandbox.settled();
  return receiver.asked.map((asked) => JSON.parse(asked.body));
}

async function commit(message = "change"): Promise<string> {
  await scene.git("-C", "work", "commit", "--allow-empty", "-m", message);
  return (await scene.git("-C", "work", "rev-parse", "HEAD")).output.trim();
}

describe("what a push tells", () => {
  test("an update names the commits between, with GitLab's headers", async () => {
    await hook({ token: "s3cret" });
    const before = (await scene.git("-C", "work", "rev-parse", "HEAD")).output.trim();
    const after = await commit("one more");
    const [payload] = await push("origin", "HEAD:main");
    expect(payload).toMatchObject({
      object_kind: "push",
      ref: "refs/heads/main",
      before,
      after,
      checkout_sha: after,
      total_commits_count: 1,
      project_id: 1,
      user_username: "ann",
    });
    expect(payload?.["commits"][0]).toMatchObject({
      id: after,
      title: "one more",
      author: { name: "Ann Example" },
    });
    const { headers, method } = receiver.asked[0]!;
    expect(method).toBe("POST");
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "user-agent": "GitLab/18.9.0",
      "x-gitlab-event": "Push Hook",
      "x-gitlab-token": "s3cret",
      "x-gitlab-instance": scene.sandbox.url,
    });
    for (const name of ["x-gitlab-webhook-uuid", "x-gitlab-event-uuid", "idempotency-key"]) {
      expect(headers[name]).toMatch(/^[0-9a-f-]{36}$/);
    }
    expect(headers["webhook-signature"]).toBeUndefined();
  });

  test("a new branch starts from zeros, a removed one ends in them", async () => {
    await hook();
    const [made] = await push("origin", "HEAD:refs/heads/short");
    expect(made).toMatchObject({ before: ZEROS, commits: [], total_commits_count: 0 });
    receiver.asked.length = 0;
    const [gone] = await push("origin", ":short");
    expect(gone).toMatchObject({ after: ZEROS, checkout_sha: null, commits: [], ref: "refs/heads/short" });
  });

  test("a force push tells both ends", async () => {
    await hook();
    const first = await commit("first");
    await push("origin", "HEAD:refs/heads/forced");
    await scene.git("-C", "work", "commit", "--amend", "--allow-empty", "-m", "second");
    receiver.asked.length = 0;
    const [payload] = await push("--force", "origin", "HEAD:refs/heads/forced");
    expect(payload?.["before"]).toBe(first);
    expect(payload?.["commits"].map((one: { title: string }) => one.title)).toEqual(["second"]);
  });

  test("of more than 20 commits the newest 20 travel, oldest first, with the true count", async () => {
    await hook();
    for (let n = 1; n <= 25; n++) await commit(`n${n}`);
    const [payload] = await push("origin", "HEAD:refs/heads/many");
    const titles = payload?.["commits"].map((one: { title: string }) => one.title);
    expect([titles.length, titles[0], titles.at(-1)]).toEqual([20, "n6", "n25"]);
    expect(payload?.["total_commits_count"]).toBeGreaterThanOrEqual(25);
  });

  test("more than three branches at once tell nothing at all, three tell three times", async () => {
    await hook();
    const refs = (prefix: string, count: number) =>
      Array.from({ length: count }, (_, n) => `HEAD:refs/heads/${prefix}${n}`);
    expect(await push("origin", ...refs("four", 4))).toEqual([]);
    expect(await push("origin", ...refs("three", 3))).toHaveLength(3);
  });

  test("tags go to hooks that want them", async () => {
    await hook({ push_events: false, tag_push_events: true });
    await scene.git("-C", "work", "tag", "-a", "v1", "-m", "first release");
    const tag = (await scene.git("-C", "work", "rev-parse", "v1")).output.trim();
    const head = (await scene.git("-C", "work", "rev-parse", "HEAD")).output.trim();
    const [payload] = await push("origin", "v1", "HEAD:refs/heads/tagged");
    expect(payload).toMatchObject({
      object_kind: "tag_push",
      ref: "refs/tags/v1",
      after: tag,
      checkout_sha: head,
      message: "first release",
    });
    expect(receiver.asked).toHaveLength(1);
    expect(receiver.asked[0]?.headers["x-gitlab-event"]).toBe("Tag Push Hook");
  });

  test("options of the push travel along", async () => {
    await hook();
    const [payload] = await push(
      "-o",
      "ci.skip",
      "-o",
      "mr.title=it's $HOME",
      "origin",
      "HEAD:refs/heads/options",
    );
    expect(payload?.["push_options"]).toEqual({ ci: { skip: true }, merge_request: { title: "it's $HOME" } });
    receiver.asked.length = 0;
    const [next] = await push("origin", "HEAD:refs/heads/no-options");
    expect(next?.["push_options"]).toEqual({});
  });

  test("changed paths are those of each commit", async () => {
    await hook();
    const path = "/projects/1/repository/files/new%2Fdeep.txt";
    await scene.call("POST", path, { branch: "main", commit_message: "Add deep", content: "x" });
    await scene.sandbox.settled();
    const payload = JSON.parse(receiver.asked[0]?.body ?? "{}");
    expect(payload.commits[0]).toMatchObject({ added: ["new/deep.txt"], modified: [], removed: [] });
  });

  test("a branch filter keeps other branches away", async () => {
    await hook({ push_events_branch_filter: "release/*" });
    expect(await push("origin", "HEAD:refs/heads/feature/1")).toEqual([]);
    expect(await push("origin", "HEAD:refs/heads/release/1")).toHaveLength(1);
  });

  test("an older GitLab sends fewer headers", async () => {
    await using old = await openScene({ version: "13.12.0" });
    await old.call("POST", "/projects/1/hooks", { url: receiver.url });
    await old.git("clone", old.remote(), "w");
    await old.git("-C", "w", "push", "origin", "HEAD:refs/heads/x");
    await old.sandbox.settled();
    const names = Object.keys(receiver.asked[0]?.headers ?? {});
    expect(names.filter((name) => name.startsWith("x-gitlab") || name.startsWith("idem"))).toEqual([
      "x-gitlab-event",
    ]);
  });
});

test("from 19.0 on a signing token signs the very body; before it is ignored", async () => {
  const key = randomBytes(32);
  const signing_token = `whsec_${key.toString("base64")}`;
  await using next = await openScene({ version: "19.1.0" });
  const made = await next.call("POST", "/projects/1/hooks", { url: receiver.url, token: "t", signing_token });
  expect(made.body).toMatchObject({ token_present: true, signing_token_present: true });
  expect(made.text).not.toContain(signing_token);
  await next.git("clone", next.remote(), "w");
  await next.git("-C", "w", "push", "origin", "HEAD:refs/heads/x");
  await next.sandbox.settled();
  const { headers, body } = receiver.asked[0]!;
  const text = [headers["webhook-id"], headers["webhook-timestamp"], body].join(".");
  expect(headers["webhook-signature"]).toBe(`v1,${createHmac("sha256", key).update(text).digest("base64")}`);
  expect(headers["webhook-id"]).toBe(headers["idempotency-key"]);
  const bad = await next.call("POST", "/projects/1/hooks", {
    url: receiver.url,
    signing_token: "whsec_short",
  });
  expect(bad.status).toBe(422);
  const old = await scene.call("POST", "/projects/1/hooks", { url: receiver.url, signing_token });
  expect([old.status, "signing_token_present" in old.body]).toEqual([201, false]);
});

describe("deliveries go wrong as they do in life", () => {
  test("a failure is logged and never repeated", async () => {
    const { id } = await hook();
    reply = { status: 500, body: "oops" };
    await push("origin", "HEAD:refs/heads/fails");
    expect(scene.sandbox.deliveries(id)).toMatchObject([
      { responseStatus: 500, responseBody: "oops", error: null },
    ]);
    expect(receiver.asked).toHaveLength(1);
  });

  test("a redirect turns the POST into a GET without a body", async () => {
    await hook();
    const target = receiver.url;
    reply = { status: 301, headers: { location: `${target}/secure` } };
    const asked: string[] = [];
    await using other = await startAnswering((one) => {
      asked.push(`${one.method} ${one.body.length}`);
      return {};
    });
    reply = { status: 302, headers: { location: `${other.url}/x` } };
    await scene.git("-C", "work", "push", "origin", "HEAD:refs/heads/redirected");
    await scene.sandbox.settled();
    expect(asked).toEqual(["GET 0"]);
  });

  test("lost, twice, late and silent", async () => {
    const { id } = await hook();
    const { webhooks } = scene.sandbox.faults;
    webhooks.lose = true;
    expect(await push("origin", "HEAD:refs/heads/knob1")).toEqual([]);
    expect(scene.sandbox.deliveries(id).at(-1)?.responseStatus).toBe("lost");
    webhooks.lose = false;
    webhooks.duplicate = true;
    await push("origin", "HEAD:refs/heads/knob2");
    const ids = receiver.asked.map((asked) => asked.headers["idempotency-key"]);
    expect([ids.length, new Set(ids).size]).toEqual([2, 1]);
    webhooks.duplicate = false;
    webhooks.delayMs = 300;
    const started = performance.now();
    await push("origin", "HEAD:refs/heads/knob3");
    expect(performance.now() - started).toBeGreaterThan(290);
    webhooks.delayMs = 0;
    receiver.asked.length = 0;
    scene.sandbox.settings.silentMode = true;
    expect(await push("origin", "HEAD:refs/heads/knob4")).toEqual([]);
    const tested = await scene.call("POST", `/projects/1/hooks/${id}/test/push_events`);
    expect(tested.body).toEqual({ message: "Silent mode enabled" });
    scene.sandbox.settings.silentMode = false;
  });
});

test("the sandbox ends while a receiver never answers", async () => {
  const stuck = await openScene();
  await using never = await startAnswering(() => new Promise(() => {}));
  await stuck.call("POST", "/projects/1/hooks", { url: never.url });
  await stuck.git("clone", stuck.remote(), "w");
  await stuck.git("-C", "w", "push", "origin", "HEAD:refs/heads/x");
  await expect.poll(() => never.asked.length).toBe(1);
  const started = performance.now();
  await stuck[Symbol.asyncDispose]();
  expect(performance.now() - started).toBeLessThan(5000);
});
