import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startAnswering, type AnsweringServer } from "../../../test/support/answering-server.ts";
import { openScene, type Scene } from "../scene.suite.ts";
import { replaceKnobs } from "./set-knobs.ts";

let scene: Scene;
let receiver: AnsweringServer;
beforeAll(async () => {
  scene = await openScene();
  receiver = await startAnswering(() => ({}));
});
afterAll(async () => {
  await scene[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});
beforeEach(() => {
  replaceKnobs(scene.sandbox, {});
  receiver.asked.length = 0;
  scene.sandbox.rows.hooks.clear();
});

interface Got {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies freely
  readonly body: any;
}

async function act(name: string, params: object = {}): Promise<Got> {
  const response = await fetch(`${scene.sandbox.url}/-/sandbox/actions/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(params),
  });
  return { status: response.status, body: await response.json() };
}

async function contents(): Promise<string> {
  return (await fetch(`${scene.sandbox.url}/-/sandbox/contents`)).text();
}

describe("people and places", () => {
  test("a user, a group, a project, a role and a token that works, told once", async () => {
    expect((await act("create_user", { username: "bob" })).status).toBe(200);
    expect((await act("create_group", { path: "team/web", owner: "bob" })).body).toMatchObject({
      path: "team/web",
    });
    const made = await act("create_project", {
      path: "team/web/site",
      owner: "bob",
      files: { "a/b.txt": "x\n" },
    });
    expect(made.body).toMatchObject({ path: "team/web/site" });
    expect((await act("set_member", { place: "team/web/site", user: "ann", role: "reporter" })).status).toBe(
      200,
    );
    const token = await act("create_token", {
      user: "bob",
      name: "ci",
      scopes: ["read_api"],
      expiresAt: null,
    });
    expect(token.body).toMatchObject({
      name: "ci",
      scopes: ["read_api"],
      value: expect.stringMatching(/^glpat-/),
    });
    expect((await scene.call("GET", "/user", undefined, token.body.value)).body.username).toBe("bob");
    const file = await scene.call(
      "GET",
      "/projects/team%2Fweb%2Fsite/repository/files/a%2Fb.txt/raw?ref=main",
    );
    expect([file.status, file.text]).toEqual([200, "x\n"]);
    const page = await (await fetch(scene.sandbox.url)).text();
    for (const text of [await contents(), page]) {
      expect(text).toContain("ci");
      expect(text).not.toContain(token.body.value);
      expect(text).not.toContain(scene.token);
    }
  });

  test("states of users and projects", async () => {
    const token = scene.tokenWith({});
    await act("set_user", { user: "ann", condition: "blocked" });
    expect((await scene.call("GET", "/user", undefined, token)).body.message).toContain("has been blocked");
    await act("set_user", { user: "ann", condition: "active" });
    await act("set_project", { project: "acme/shop", repositoryEnabled: false });
    expect((await scene.call("GET", "/projects/1/repository/branches")).status).toBe(404);
    const after = await act("set_project", { project: 1, repositoryEnabled: true, archived: true });
    expect(after.body).toMatchObject({ archived: true, repositoryEnabled: true });
    expect((await scene.call("GET", "/projects/1")).body.archived).toBe(true);
    await act("set_project", { project: 1, archived: false });
  });

  test("a project moves: its old path leads on, its id stays; and goes", async () => {
    const { id } = (await act("create_project", { path: "acme/old", owner: "ann", files: { "a.txt": "1" } }))
      .body;
    expect((await act("move_project", { project: id, to: "elsewhere/shop" })).body).toEqual({
      id,
      path: "elsewhere/shop",
    });
    const root = scene.tokenWith({ user: scene.sandbox.state.root });
    const old = await scene.call("GET", "/projects/acme%2Fold", undefined, root);
    expect([old.status, old.headers.get("location")]).toEqual([
      301,
      `${scene.sandbox.url}/api/v4/projects/${id}`,
    ]);
    const write = await scene.call("POST", "/projects/acme%2Fold/hooks", { url: receiver.url }, root);
    expect(write.status).toBe(405);
    await act("delete_project", { project: "elsewhere/shop" });
    expect((await scene.call("GET", `/projects/${id}`, undefined, root)).status).toBe(404);
  });

  test.each([
    ["move_project", { project: 1, to: "acme" }, 400, "to: no full path of a project"],
    ["move_project", { project: 1, to: "acme/shop" }, 422, "there is a project acme/shop already"],
    ["delete_project", { project: 77_777 }, 422, "there is no project 77777"],
    ["create_user", { username: "x", wat: 1 }, 400, "wat: there is no such parameter"],
    ["create_user", {}, 400, "username: expected string, received undefined"],
    ["create_token", { user: "nobody" }, 422, "there is no user nobody"],
    ["create_token", { user: "ann", expiresAt: "soon" }, 400, "expiresAt: "],
    ["create_project", { path: "acme/shop" }, 422, "there is a project acme/shop already"],
    ["create_project", { path: "a/b", files: { "../x": "" } }, 400, "files.../x: no path of a file"],
    ["push", { project: "no/such" }, 422, "there is no project no/such"],
    ["push", { project: 1, branch: "a..b" }, 400, "branch: no name of a branch"],
    ["push", { project: 1, branch: "main/x" }, 422, "git cannot have main/x beside refs/heads/main"],
    ["end_token", { token: 99_999, how: "revoke" }, 422, "there is no token 99999"],
    ["set_member", { place: "no", user: "ann", role: "owner" }, 422, "there is no project no"],
    ["set_knobs", { faults: { nope: 1 } }, 400, "faults.nope: there is no such knob"],
    ["constructor", {}, 400, "action: there is no action constructor"],
  ])("%s %j: %d %s", async (name, params, status, words) => {
    const got = await act(name, params);
    expect([got.status, got.body.error]).toEqual([status, expect.stringContaining(words)]);
  });
});

describe("tokens end half-way", () => {
  test.each([
    ["revoke", "Token was revoked."],
    ["expire", "Token is expired."],
  ])("%s", async (how, words) => {
    const made = await act("create_token", { user: "ann" });
    const { id, value } = made.body;
    await act("end_token", { token: id, how, after: 2 });
    const ask = () => scene.call("GET", "/user", undefined, value);
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 200]);
    expect((await ask()).body).toMatchObject({
      error: "invalid_token",
      error_description: expect.stringContaining(words),
    });
    expect((await scene.call("GET", "/user")).status).toBe(200);
  });

  test("also for git, with the token as password", async () => {
    const { id, value } = (await act("create_token", { user: "ann" })).body;
    expect((await scene.git("ls-remote", scene.remote("acme/shop", value))).ok).toBe(true);
    await act("end_token", { token: id, how: "revoke" });
    const outcome = await scene.git("ls-remote", scene.remote("acme/shop", value));
    expect([outcome.ok, outcome.output.includes("Authentication failed")]).toEqual([false, true]);
  });
});

describe("pushes and webhooks", () => {
  async function hook(): Promise<void> {
    await scene.call("POST", "/projects/1/hooks", { url: `${receiver.url}/h?key=hidden`, token: "s3cret" });
  }

  test("a push makes a real commit and calls the hooks", async () => {
    await hook();
    const pushed = await act("push", {
      project: "acme/shop",
      message: "From the control",
      files: { "n.txt": "1" },
    });
    await scene.sandbox.settled();
    const head = (await scene.git("ls-remote", scene.remote(), "refs/heads/main")).output.split("\t")[0];
    expect(pushed.body).toEqual({ project: "acme/shop", branch: "main", commit: head });
    const payload = JSON.parse(receiver.asked[0]?.body ?? "{}");
    expect(payload).toMatchObject({
      ref: "refs/heads/main",
      after: head,
      commits: [{ title: "From the control" }],
    });
    const text = await contents();
    expect(JSON.parse(text).hooks).toMatchObject([{ project: "acme/shop", deliveries: [{ status: 200 }] }]);
    expect(text).not.toMatch(/s3cret|hidden/);
  });

  test("a push to a new branch, and to an empty project", async () => {
    const branch = await act("push", { project: 1, branch: "feature/x" });
    expect(branch.body).toMatchObject({
      branch: "feature/x",
      commit: expect.stringMatching(/^[0-9a-f]{40}$/),
    });
    await act("create_project", { path: "acme/empty", owner: "ann" });
    expect((await act("push", { project: "acme/empty" })).body.commit).toMatch(/^[0-9a-f]{40}$/);
  });

  test("a full disk takes commits of nobody", async () => {
    scene.sandbox.faults.git.diskFull = true;
    expect((await act("push", { project: 1 })).status).toBe(422);
    const file = { branch: "main", commit_message: "full", content: "x" };
    const made = await scene.call("POST", "/projects/1/repository/files/full.txt", file);
    expect([made.status, made.body.message]).toEqual([
      400,
      expect.stringContaining("No space left on device"),
    ]);
    scene.sandbox.faults.git.diskFull = false;
    expect((await scene.call("POST", "/projects/1/repository/files/full.txt", file)).status).toBe(201);
  });

  test("webhooks are kept back, delivered backwards, or dropped", async () => {
    await hook();
    scene.sandbox.faults.webhooks.hold = true;
    for (const branch of ["one", "two", "three"]) await act("push", { project: 1, branch });
    await scene.sandbox.settled();
    expect(receiver.asked).toEqual([]);
    expect(JSON.parse(await contents()).heldWebhooks).toBe(3);
    expect((await act("deliver_webhooks", { order: "reversed" })).body).toEqual({ delivered: 3 });
    await scene.sandbox.settled();
    const refs = receiver.asked.map((asked) => JSON.parse(asked.body).ref);
    expect(refs).toEqual(["refs/heads/three", "refs/heads/two", "refs/heads/one"]);
    await act("push", { project: 1, branch: "four" });
    expect((await act("drop_webhooks")).body).toEqual({ dropped: 1 });
    await scene.sandbox.settled();
    expect(receiver.asked).toHaveLength(3);
    expect(scene.sandbox.deliveries().at(-1)?.responseStatus).toBe("lost");
  });

  test("calls name GitLab's external URL", async () => {
    await hook();
    scene.sandbox.settings.externalUrl = "https://git.example";
    await act("push", { project: 1 });
    await scene.sandbox.settled();
    expect(receiver.asked[0]?.headers["x-gitlab-instance"]).toBe("https://git.example");
    scene.sandbox.settings.externalUrl = null;
  });

  test("reset puts the knobs back and keeps what is there", async () => {
    await act("set_knobs", { faults: { maintenance: true }, settings: { silentMode: true } });
    expect(scene.sandbox.faults.maintenance).toBe(true);
    await act("reset");
    expect([scene.sandbox.faults.maintenance, scene.sandbox.settings.silentMode]).toEqual([false, false]);
    expect((await scene.call("GET", "/projects/1")).status).toBe(200);
  });
});
