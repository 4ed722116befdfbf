import { expect, test } from "vitest";
import { openScene, type Scene } from "./scene.suite.ts";

const URL = "http://127.0.0.1:9/hook";

async function post(scene: Scene, body: Record<string, unknown>): Promise<unknown[]> {
  const answer = await scene.call("POST", "/projects/1/hooks", { url: URL, ...body });
  return [answer.status, answer.body];
}

test.each([
  [
    "10.5.0",
    404,
    { message: `404 Project hook {:base=>["Maximum number of project hooks (0) exceeded"]} Not Found` },
  ],
  [
    "14.10.0",
    404,
    { message: `404 Project hook {:base=>["Maximum number of project hooks (0) exceeded"]} Not Found` },
  ],
  ["17.1.0", 422, { message: { base: ["Maximum number of project hooks (0) exceeded"] } }],
  ["18.9.0", 422, { error: "Maximum number of project hooks (0) exceeded" }],
])("%s: the limit is a %d", async (version, status, body) => {
  await using scene = await openScene({ version });
  scene.sandbox.settings.projectHooksLimit = 0;
  expect(await post(scene, {})).toEqual([status, body]);
});

test.each([
  ["14.10.0", 404, { message: `404 Project hook {:token=>["is invalid"]} Not Found` }],
  ["16.0.0", 422, { message: { token: ["is invalid"] } }],
  ["18.9.0", 422, { error: "Token is invalid" }],
])("%s: a bad token is a %d", async (version, status, body) => {
  await using scene = await openScene({ version });
  expect(await post(scene, { token: "a\nb" })).toEqual([status, body]);
});

test("an old GitLab ignores what it does not know, however wrong it is, and does not tell it", async () => {
  await using scene = await openScene({ version: "11.2.0" });
  const [status, body] = await post(scene, {
    push_events_branch_filter: "a b",
    branch_filter_strategy: "nonsense",
    custom_headers: "no list",
    url_variables: 7,
    emoji_events: "maybe",
    deployment_events: "maybe",
    name: "x".repeat(300),
    signing_token: "short",
  });
  expect(status).toBe(201);
  expect(Object.keys(Object(body)).toSorted()).toEqual([
    "confidential_issues_events",
    "confidential_note_events",
    "created_at",
    "enable_ssl_verification",
    "id",
    "issues_events",
    "job_events",
    "merge_requests_events",
    "note_events",
    "pipeline_events",
    "project_id",
    "push_events",
    "repository_update_events",
    "tag_push_events",
    "url",
    "wiki_page_events",
  ]);
  expect(body).toMatchObject({ push_events: true, tag_push_events: false });
});

test("an update needed the url once", async () => {
  await using old = await openScene({ version: "15.3.0" });
  await post(old, {});
  const bare = await old.call("PUT", "/projects/1/hooks/1", { tag_push_events: true });
  expect([bare.status, bare.body]).toEqual([400, { error: "url is missing" }]);
  const whole = await old.call("PUT", "/projects/1/hooks/1", { url: URL, tag_push_events: true });
  expect([whole.status, whole.body.tag_push_events]).toEqual([200, true]);
});

test.each([
  ["16.10.0", "test/push_events", 404],
  ["17.2.0", "events", 404],
  ["17.3.0", "events", 200],
])("%s: %s answers %d", async (version, path, status) => {
  await using scene = await openScene({ version });
  await post(scene, {});
  const method = path === "events" ? "GET" : "POST";
  expect((await scene.call(method, `/projects/1/hooks/1/${path}`)).status).toBe(status);
});

test.each([
  ["16.11.0", 7, null],
  ["17.0.0", 3, null],
  ["17.1.0", 5, null],
  ["18.9.0", 5, "60"],
])("%s: %d tests a minute", async (version, admitted, retryAfter) => {
  const time = { at: 1_800_000_000_000 };
  await using scene = await openScene({ version, clock: { now: () => time.at } });
  await post(scene, {});
  const ask = () => scene.call("POST", "/projects/1/hooks/1/test/issues_events");
  for (let n = 0; n < admitted; n++) expect((await ask()).status).toBe(422);
  if (admitted === 7) return;
  const refused = await ask();
  expect([refused.status, refused.body, refused.headers.get("retry-after")]).toEqual([
    429,
    { message: { error: "This endpoint has been requested too many times. Try again later." } },
    retryAfter,
  ]);
  time.at += 60_000;
  expect((await ask()).status).toBe(422);
});

test("triggers are those of the version", async () => {
  await using scene = await openScene({ version: "17.4.0" });
  await post(scene, {});
  const ask = async (trigger: string) =>
    (await scene.call("POST", `/projects/1/hooks/1/test/${trigger}`)).body;
  expect(await ask("milestone_events")).toEqual({ error: "trigger does not have a valid value" });
  expect(await ask("deployment_events")).toEqual({ message: "Testing not available for this hook" });
  expect(await ask("merge_requests_events")).toEqual({ message: "Ensure the project has merge requests." });
});
