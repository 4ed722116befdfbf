import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startAnswering, type AnsweringServer } from "../../test/support/answering-server.ts";
import { openScene, type Answer, type Scene } from "./scene.suite.ts";

let scene: Scene;
let receiver: AnsweringServer;
let sha = "";
beforeAll(async () => {
  scene = await openScene();
  receiver = await startAnswering(() => ({}));
  sha = (await scene.call("GET", "/projects/1/repository/branches/main")).body.commit.id;
});
afterAll(async () => {
  await scene[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});
beforeEach(() => {
  scene.sandbox.rows.environments.clear();
  scene.sandbox.rows.deployments.clear();
  receiver.asked.length = 0;
});

const environments = "/projects/1/environments";
const deployments = "/projects/1/deployments";

function shown(answer: Answer): unknown[] {
  return [answer.status, answer.body];
}

async function environment(given: Record<string, unknown> = {}): Promise<{ id: number }> {
  const answer = await scene.call("POST", environments, { name: "production", ...given });
  expect(answer.status).toBe(201);
  return answer.body;
}

const deploy = (given: Record<string, unknown> = {}) =>
  scene.call("POST", deployments, {
    environment: "production",
    sha,
    ref: "main",
    tag: false,
    status: "running",
    ...given,
  });

function tokenOf(level: number): string {
  const user = scene.sandbox.state.createUser({ username: `level${level}-${scene.sandbox.rows.users.size}` });
  scene.project.members.set(user.id, level);
  return scene.tokenWith({ user });
}

describe("environments", () => {
  test.each([
    [{}, 400, { error: "name is missing" }],
    [{ name: "taken" }, 400, { message: ["Name has already been taken"] }],
    [
      { name: "/x" },
      400,
      {
        message: [
          "Name can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', and spaces, but it cannot start or end with '/'",
        ],
      },
    ],
    [{ name: "x", slug: "y" }, 400, { error: "slug is automatically generated and cannot be changed" }],
    [{ name: "x", tier: "moon" }, 400, { error: "tier does not have a valid value" }],
    [
      { name: "x", external_url: "javascript:alert(1)" },
      400,
      { message: ["External url is blocked: Only allowed schemes are http, https"] },
    ],
  ])("%j: %d", async (body, status, expected) => {
    await environment({ name: "taken" });
    expect(shown(await scene.call("POST", environments, body))).toEqual([status, expected]);
  });

  test("an older GitLab told the same field by field", async () => {
    await using old = await openScene({ version: "15.0.0" });
    await old.call("POST", environments, { name: "x" });
    expect(shown(await old.call("POST", environments, { name: "x" }))).toEqual([
      400,
      { message: { name: ["has already been taken"], slug: ["has already been taken"] } },
    ]);
  });

  test.each([
    ["production", "production", "production"],
    ["Review/Feature 1", "development", expect.stringMatching(/^review-feature-1-[a-z0-9]{6}$/)],
    ["1st", "other", expect.stringMatching(/^env-1st-[a-z0-9]{6}$/)],
    ["a-name-that-is-longer-than-a-slug", "other", expect.stringMatching(/^[a-z-]{1,17}-[a-z0-9]{6}$/)],
  ])("%s is of tier %s", async (name, tier, slug) => {
    expect(await environment({ name })).toMatchObject({ name, tier, slug, state: "available" });
  });

  test("are found, changed, stopped and only then removed", async () => {
    const { id } = await environment();
    await environment({ name: "staging" });
    const names = async (query: string) =>
      (await scene.call("GET", `${environments}?${query}`)).body.map((one: { name: string }) => one.name);
    expect(await names("name=staging")).toEqual(["staging"]);
    expect(await names("search=prod")).toEqual(["production"]);
    for (const [query, body] of [
      ["search=pr", { message: "400 Bad request - Search query is less than 3 characters" }],
      ["states=test", { error: "states does not have a valid value" }],
      ["search=prod&name=x", { error: "name, search are mutually exclusive" }],
    ] as const)
      expect(shown(await scene.call("GET", `${environments}?${query}`))).toEqual([400, body]);
    const one = `${environments}/${id}`;
    const put = await scene.call("PUT", one, { external_url: "https://shop.example", description: "live" });
    expect(put.body).toMatchObject({ external_url: "https://shop.example", description: "live" });
    expect(shown(await scene.call("DELETE", one))).toEqual([403, { message: "403 Forbidden" }]);
    expect((await scene.call("POST", `${one}/stop`, {}, tokenOf(20))).status).toBe(403);
    for (let n = 0; n < 2; n++) {
      const stopped = await scene.call("POST", `${one}/stop`);
      expect([stopped.status, stopped.body.state]).toEqual([200, "stopped"]);
    }
    expect(await names("states=stopped")).toEqual(["production"]);
    expect((await scene.call("DELETE", one)).status).toBe(204);
    expect(shown(await scene.call("DELETE", one))).toEqual([404, { message: "404 Not found" }]);
  });

  test("stale ones are stopped together, by Maintainers, with a sensible date", async () => {
    await environment();
    const stop = (before: string, token?: string) =>
      scene.call("POST", `${environments}/stop_stale`, { before }, token);
    expect((await stop("2026-01-01", tokenOf(30))).status).toBe(403);
    expect(shown(await stop("2999-01-01"))).toEqual([400, { message: "400 Bad request - Invalid Date" }]);
    expect((await stop("2026-01-01")).status).toBe(200);
  });
});

describe("deployments", () => {
  test.each([
    [{ environment: "" }, { error: "environment is empty" }],
    [{ sha: "" }, { error: "sha is empty" }],
    [{ ref: "" }, { error: "ref is empty" }],
    [{ status: "created" }, { error: "status does not have a valid value" }],
    [{ sha: "f".repeat(40) }, { message: { sha: ["The commit does not exist"] } }],
    [{ ref: "nowhere" }, { message: { ref: ["The branch or tag does not exist"] } }],
  ])("%j: 400", async (given, expected) => {
    expect(shown(await deploy(given))).toEqual([400, expected]);
    expect(scene.sandbox.rows.deployments.size).toBe(0);
  });

  test("make their environment, and the same again is the same", async () => {
    const made = await deploy();
    expect(made.body).toMatchObject({
      sha,
      ref: "main",
      status: "running",
      environment: { name: "production" },
    });
    const again = await deploy();
    expect([again.status, again.body.id]).toEqual([201, made.body.id]);
    expect((await deploy({ status: "success" })).body.id).not.toBe(made.body.id);
  });

  test("take the steps that GitLab's do", async () => {
    const { body } = await deploy();
    const put = (status: string) => scene.call("PUT", `${deployments}/${body.id}`, { status });
    const refused = (event: string) => [400, { message: { status: [`cannot transition via "${event}"`] } }];
    expect(shown(await put("running"))).toEqual(refused("run"));
    for (const status of ["success", "failed", "success", "canceled"])
      expect((await put(status)).body.status).toBe(status);
    expect(shown(await put("canceled"))).toEqual(refused("cancel"));
    expect(shown(await put("running"))).toEqual(refused("run"));
  });

  test("are told to hooks, each step once", async () => {
    const hook = { url: receiver.url, push_events: false, deployment_events: true };
    const { body } = await scene.call("POST", "/projects/1/hooks", hook);
    const made = await deploy();
    await scene.call("PUT", `${deployments}/${made.body.id}`, { status: "success" });
    await scene.sandbox.settled();
    await scene.call("DELETE", `/projects/1/hooks/${body.id}`);
    const told = receiver.asked.map((asked) => JSON.parse(asked.body));
    expect(new Set(told.map(({ status }) => status))).toEqual(new Set(["running", "success"]));
    expect(told).toHaveLength(2);
    expect(told[0]).toMatchObject({
      object_kind: "deployment",
      deployment_id: made.body.id,
      environment: "production",
      short_sha: sha.slice(0, 8),
    });
    expect(receiver.asked[0]?.headers["x-gitlab-event"]).toBe("Deployment Hook");
  });

  test("are removed by Maintainers unless they run or are what runs", async () => {
    const first = (await deploy({ status: "success" })).body.id;
    const second = (await deploy({ status: "failed" })).body.id;
    const running = (await deploy()).body.id;
    const remove = (id: number, token?: string) =>
      scene.call("DELETE", `${deployments}/${id}`, undefined, token);
    expect((await remove(second, tokenOf(30))).status).toBe(403);
    expect(shown(await remove(running))).toEqual([400, { message: "Cannot destroy running deployment" }]);
    expect(shown(await remove(first))).toEqual([
      400,
      { message: "Deployment currently deployed to environment" },
    ]);
    expect((await remove(second)).status).toBe(204);
    expect(shown(await remove(second))).toEqual([404, { message: "404 Not found" }]);
  });

  test("are listed by what they are", async () => {
    await deploy({ status: "success" });
    await deploy({ environment: "staging" });
    const count = async (query: string) => (await scene.call("GET", `${deployments}?${query}`)).body.length;
    expect(await count("environment=staging")).toBe(1);
    expect(await count("status=success")).toBe(1);
    expect(await count("order_by=updated_at&updated_after=2999-01-01")).toBe(0);
    expect(await count("order_by=finished_at&status=success&finished_before=2999-01-01")).toBe(1);
    for (const [query, message] of [
      ["updated_after=2020-01-01", "`updated_at` filter requires `updated_at` sort"],
      ["finished_after=2020-01-01", "`finished_at` filter requires `finished_at` sort."],
      [
        "finished_after=2020-01-01&order_by=finished_at",
        "`finished_at` filter must be combined with `success` status filter.",
      ],
    ] as const)
      expect(shown(await scene.call("GET", `${deployments}?${query}`))).toEqual([400, { message }]);
    expect((await scene.call("GET", `${deployments}?order_by=colour`)).status).toBe(400);
  });

  test("Reporters read and do not deploy, archived projects take none, 12.3 made none", async () => {
    const token = tokenOf(20);
    expect((await scene.call("GET", deployments, undefined, token)).status).toBe(200);
    expect((await scene.call("POST", deployments, {}, token)).status).toBe(400);
    const whole = { environment: "x", sha, ref: "main", tag: false, status: "running" };
    expect((await scene.call("POST", deployments, whole, token)).status).toBe(403);
    scene.project.archived = true;
    expect((await deploy()).status).toBe(403);
    scene.project.archived = false;
    await using old = await openScene({ version: "12.3.0" });
    expect(shown(await old.call("POST", deployments, whole))).toEqual([404, { error: "404 Not Found" }]);
  });
});
