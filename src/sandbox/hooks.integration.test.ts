import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startAnswering, type AnsweringServer, type Reply } from "../../test/support/answering-server.ts";
import { openScene, type Scene } from "./scene.suite.ts";

let scene: Scene;
let receiver: AnsweringServer;
let reply: Reply = {};
beforeAll(async () => {
  scene = await openScene();
  receiver = await startAnswering(() => reply);
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

describe("hooks as an API", () => {
  test("the token is never told and is lost when the URL changes alone", async () => {
    const { id } = await hook({ token: "s3cret" });
    const changed = await scene.call("PUT", `/projects/1/hooks/${id}`, { url: `${receiver.url}/other` });
    expect([changed.status, changed.text.includes("s3cret")]).toEqual([200, false]);
    expect(scene.sandbox.rows.hooks.get(id)?.token).toBeNull();
    await scene.call("PUT", `/projects/1/hooks/${id}`, { url: `${receiver.url}/third`, token: "again" });
    expect(scene.sandbox.rows.hooks.get(id)?.token).toBe("again");
    await scene.call("PUT", `/projects/1/hooks/${id}`, { name: "named" });
    expect(scene.sandbox.rows.hooks.get(id)).toMatchObject({ token: "again", name: "named" });
  });

  test.each([
    [{}, 400, { error: "url is missing" }],
    [{ url: "not a url" }, 422, { error: "Invalid url given" }],
    [{ url: "ftp://example.com" }, 422, { error: "Invalid url given" }],
    [{ url: "http://x/", push_events_branch_filter: "a b" }, 422, { error: "Invalid branch filter given" }],
    [
      { url: "http://x/", custom_headers: [{ key: "a b", value: "x" }] },
      422,
      { error: "Custom headers must be a valid json schema" },
    ],
    [{ url: "http://x/", push_events: "maybe" }, 400, { error: "push_events is invalid" }],
  ])("%j: %d %j", async (body, status, expected) => {
    const answer = await scene.call("POST", "/projects/1/hooks", body);
    expect([answer.status, answer.body]).toEqual([status, expected]);
  });

  test("an update without anything, a removal, and the limit", async () => {
    const { id } = await hook();
    expect((await scene.call("PUT", `/projects/1/hooks/${id}`, {})).body).toEqual({
      error: "No parameters provided",
    });
    expect((await scene.call("DELETE", `/projects/1/hooks/${id}`)).status).toBe(204);
    expect((await scene.call("DELETE", `/projects/1/hooks/${id}`)).body).toEqual({
      message: "404 Not found",
    });
    scene.sandbox.settings.projectHooksLimit = 1;
    await hook();
    const full = await scene.call("POST", "/projects/1/hooks", { url: receiver.url });
    scene.sandbox.settings.projectHooksLimit = 100;
    expect([full.status, full.body]).toEqual([
      422,
      { error: "Maximum number of project hooks (1) exceeded" },
    ]);
  });

  test("where local requests are off, local receivers are refused at both ends", async () => {
    const { id } = await hook();
    scene.sandbox.settings.allowLocalRequests = false;
    const refused = await scene.call("POST", "/projects/1/hooks", { url: receiver.url });
    const tested = await scene.call("POST", `/projects/1/hooks/${id}/test/push_events`);
    scene.sandbox.settings.allowLocalRequests = true;
    expect([refused.status, refused.body]).toEqual([422, { error: "Invalid url given" }]);
    expect(tested.body).toEqual({
      message: "URL is blocked: Requests to localhost are not allowed",
    });
    expect(receiver.asked).toEqual([]);
  });
});

describe("the test endpoint", () => {
  test("201 for a 2xx; else 422 with what the receiver said", async () => {
    const { id } = await hook();
    const good = await scene.call("POST", `/projects/1/hooks/${id}/test/push_events`);
    expect([good.status, good.body]).toEqual([201, { message: "201 Created" }]);
    expect(JSON.parse(receiver.asked[0]?.body ?? "{}")).toMatchObject({ object_kind: "push", project_id: 1 });
    reply = { status: 401, body: "no thanks" };
    const bad = await scene.call("POST", `/projects/1/hooks/${id}/test/push_events`);
    expect([bad.status, bad.body]).toEqual([422, { message: "no thanks" }]);
    const unknown = await scene.call("POST", `/projects/1/hooks/${id}/test/nope`);
    expect(unknown.body).toEqual({ error: "trigger does not have a valid value" });
  });

  test("a receiver that is not there, and an empty repository", async () => {
    const gone = await scene.call("POST", "/projects/1/hooks", { url: "http://127.0.0.1:9/" });
    const refused = await scene.call("POST", `/projects/1/hooks/${gone.body.id}/test/push_events`);
    expect(refused.body.message).toContain("Failed to open TCP connection to 127.0.0.1:9");
    const empty = await scene.sandbox.state.createProject({ path: "acme/empty", owner: scene.ann });
    const { body } = await scene.call("POST", `/projects/${empty.id}/hooks`, { url: receiver.url });
    expect((await scene.call("POST", `/projects/${empty.id}/hooks/${body.id}/test/push_events`)).status).toBe(
      201,
    );
    expect(JSON.parse(receiver.asked[0]?.body ?? "{}")).toMatchObject({
      project_id: 15,
      ref: "refs/heads/master",
    });
  });

  test("before 16.11 there is none", async () => {
    await using old = await openScene({ version: "16.10.0" });
    const { body } = await old.call("POST", "/projects/1/hooks", { url: receiver.url });
    const answer = await old.call("POST", `/projects/1/hooks/${body.id}/test/push_events`);
    expect([answer.status, answer.body]).toEqual([404, { error: "404 Not Found" }]);
  });
});
