import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startAnswering, type AnsweringServer } from "../../test/support/answering-server.ts";
import { openScene, type Answer, type Scene } from "./scene.suite.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into payloads freely
type Payload = Record<string, any>;

let scene: Scene;
let receiver: AnsweringServer;
beforeAll(async () => {
  scene = await openScene();
  receiver = await startAnswering(() => ({}));
  await scene.git("clone", scene.remote(), "work");
  await scene.call("POST", "/projects/1/hooks", {
    url: receiver.url,
    push_events: false,
    merge_requests_events: true,
    note_events: true,
  });
});
afterAll(async () => {
  await scene[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});
beforeEach(() => {
  receiver.asked.length = 0;
});

const path = "/projects/1/merge_requests";
let count = 0;

async function told(): Promise<Payload[]> {
  await scene.sandbox.settled();
  return receiver.asked.map((asked) => JSON.parse(asked.body));
}

async function work(...words: string[]): Promise<string> {
  const outcome = await scene.git("-C", "work", ...words);
  expect(outcome).toMatchObject({ ok: true });
  return outcome.output.trim();
}

/** A branch of its own with one commit that changes a file of its own. */
async function branch(file?: string, content = "x\n"): Promise<string> {
  const name = `feature-${++count}`;
  const answer = await scene.call("POST", `/projects/1/repository/files/${file ?? `${name}.txt`}`, {
    branch: name,
    start_branch: "main",
    commit_message: `Add ${name}`,
    content,
  });
  if (answer.status === 201) return name;
  await work("fetch", "origin");
  await work("checkout", "-B", name, "origin/main");
  await work("commit", "--allow-empty", "-m", `Add ${name}`);
  await work("push", "origin", name);
  return name;
}

async function open(given: Record<string, unknown> = {}): Promise<Payload> {
  const source_branch = given["source_branch"] ?? (await branch());
  const body = { title: "One", source_branch, target_branch: "main", ...given };
  const answer = await scene.call("POST", path, body);
  expect([answer.status, answer.text.slice(0, 200)]).toEqual([201, expect.any(String)]);
  return answer.body;
}

function shown(answer: Answer): unknown[] {
  return [answer.status, answer.body];
}

describe("creating", () => {
  test.each([
    [{ source_branch: "a", target_branch: "main" }, 400, { error: "title is missing" }],
    [{ title: "x", target_branch: "main" }, 400, { error: "source_branch is missing" }],
    [{ title: "x", source_branch: "a" }, 400, { error: "target_branch is missing" }],
    [{ title: " ", source_branch: "a", target_branch: "main" }, 400, { error: "title is empty" }],
    [
      { title: "x", source_branch: "main", target_branch: "main" },
      422,
      { message: ["You can't use same project/branch for source and target"] },
    ],
    [
      { title: "x".repeat(256), source_branch: "a", target_branch: "main" },
      400,
      { message: { title: ["is too long (maximum is 255 characters)"] } },
    ],
  ])("%j: %d", async (body, status, expected) => {
    expect(shown(await scene.call("POST", path, body))).toEqual([status, expected]);
  });

  test("a second open one of the same branches is a conflict", async () => {
    const { source_branch, iid } = await open();
    const body = { title: "Two", source_branch, target_branch: "main" };
    expect(shown(await scene.call("POST", path, body))).toEqual([
      409,
      { message: [`Another open merge request already exists for this source branch: !${iid}`] },
    ]);
  });

  test("Reporters may not, and archived projects take none", async () => {
    const bob = scene.sandbox.state.createUser({ username: `bob${++count}` });
    scene.project.members.set(bob.id, 20);
    const body = { title: "x", source_branch: "a", target_branch: "main" };
    const answer = await scene.call("POST", path, body, scene.tokenWith({ user: bob }));
    expect(shown(answer)).toEqual([403, { message: "403 Forbidden" }]);
    scene.project.archived = true;
    expect((await scene.call("POST", path, body)).status).toBe(403);
    scene.project.archived = false;
  });

  test("its hook says open, without an old revision", async () => {
    const made = await open({ labels: "one,two", assignee_ids: [scene.ann.id] });
    const [payload] = await told();
    expect(payload).toMatchObject({
      object_kind: "merge_request",
      event_type: "merge_request",
      user: { id: scene.ann.id, username: "ann", email: "[REDACTED]" },
      object_attributes: { action: "open", iid: made["iid"], state: "opened", merge_status: "can_be_merged" },
      labels: [{ title: "one" }, { title: "two" }],
      assignees: [{ username: "ann" }],
    });
    expect("oldrev" in payload!["object_attributes"]).toBe(false);
    expect(payload?.["object_attributes"].last_commit.id).toBe(made["sha"]);
    expect(receiver.asked[0]?.headers["x-gitlab-event"]).toBe("Merge Request Hook");
  });
});

describe("changing", () => {
  test("only what differs is told, and nothing for nothing", async () => {
    const { iid } = await open();
    await told();
    receiver.asked.length = 0;
    await scene.call("PUT", `${path}/${iid}`, { title: "Draft: Other", add_labels: "new" });
    await scene.call("PUT", `${path}/${iid}`, { title: "Draft: Other" });
    const payloads = await told();
    expect(payloads).toHaveLength(1);
    const { action, oldrev } = payloads[0]!["object_attributes"];
    expect([action, oldrev]).toEqual(["update", undefined]);
    expect(payloads[0]?.["changes"]).toMatchObject({
      title: { previous: "One", current: "Draft: Other" },
      draft: { previous: false, current: true },
      labels: { previous: [], current: [{ title: "new" }] },
    });
    expect("description" in payloads[0]!["changes"]).toBe(false);
  });

  test("close and reopen, each told once", async () => {
    const { iid } = await open();
    await told();
    receiver.asked.length = 0;
    for (const state_event of ["close", "close", "reopen"]) {
      const answer = await scene.call("PUT", `${path}/${iid}`, { state_event });
      expect(answer.body.state).toBe(state_event === "close" ? "closed" : "opened");
    }
    const payloads = await told();
    expect(payloads.map((one) => one["object_attributes"].action)).toEqual(["close", "reopen"]);
    expect(payloads[0]?.["changes"].state_id).toEqual({ previous: 1, current: 2 });
  });

  test.each([
    [{ title: "" }, 400, { error: "title is empty" }],
    [{ target_branch: "" }, 400, { error: "target_branch is empty" }],
    [{ state_event: "merge" }, 400, { error: "state_event does not have a valid value" }],
  ])("%j: %d", async (body, status, expected) => {
    const { iid } = await open();
    expect(shown(await scene.call("PUT", `${path}/${iid}`, body))).toEqual([status, expected]);
  });

  test("unknown ones are not found, Owners may delete", async () => {
    for (const method of ["GET", "PUT", "DELETE"])
      expect(
        shown(await scene.call(method, `${path}/999`, method === "PUT" ? { title: "x" } : undefined)),
      ).toEqual([404, { message: "404 Not found" }]);
    const { iid } = await open();
    expect((await scene.call("DELETE", `${path}/${iid}`)).status).toBe(204);
    expect((await scene.call("GET", `${path}/${iid}`)).status).toBe(404);
  });
});

describe("pushes", () => {
  test("to the source give a new head and tell the old one", async () => {
    const made = await open();
    await told();
    receiver.asked.length = 0;
    await work("fetch", "origin");
    await work("checkout", "-B", "local", `origin/${made["source_branch"]}`);
    await work("commit", "--allow-empty", "-m", "more");
    const head = await work("rev-parse", "HEAD");
    await work("push", "origin", `HEAD:${made["source_branch"]}`);
    const [payload] = await told();
    expect(payload?.["object_attributes"]).toMatchObject({ action: "update", oldrev: made["sha"] });
    expect(payload?.["object_attributes"].last_commit).toMatchObject({ id: head, title: "more" });
    const now = await scene.call("GET", `${path}/${made["iid"]}`);
    expect(now.body).toMatchObject({ sha: head, state: "opened", diff_refs: { head_sha: head } });
    expect((await scene.call("GET", `${path}/${made["iid"]}/commits`)).body[0].id).toBe(head);
  });

  test("that remove the source close it, that bring it to the target merge it", async () => {
    const [gone, brought] = [await open(), await open()];
    await told();
    receiver.asked.length = 0;
    await work("push", "origin", `:${gone["source_branch"]}`);
    await work("fetch", "origin");
    await work("checkout", "-B", "main", "origin/main");
    await work("merge", "--no-ff", "-m", "by hand", `origin/${brought["source_branch"]}`);
    await work("push", "origin", "main");
    const actions = (await told()).map((one) => [
      one["object_attributes"].iid,
      one["object_attributes"].action,
    ]);
    expect(actions).toEqual([
      [gone["iid"], "close"],
      [brought["iid"], "merge"],
    ]);
    expect((await scene.call("GET", `${path}/${brought["iid"]}`)).body.state).toBe("merged");
  });
});

describe("accepting", () => {
  test("merges in git, tells push and merge, removes the source", async () => {
    const pushes = await scene.call("POST", "/projects/1/hooks", { url: `${receiver.url}/pushes` });
    const made = await open({ remove_source_branch: true });
    await told();
    receiver.asked.length = 0;
    const answer = await scene.call("PUT", `${path}/${made["iid"]}/merge`, { sha: made["sha"] });
    expect(answer.body).toMatchObject({ state: "merged", merge_user: { username: "ann" } });
    const payloads = await told();
    await scene.call("DELETE", `/projects/1/hooks/${pushes.body.id}`);
    const kinds = payloads.map((one) => [one["object_kind"], one["object_attributes"]?.action ?? one["ref"]]);
    expect(kinds).toHaveLength(3);
    expect(kinds).toEqual(
      expect.arrayContaining([
        ["push", "refs/heads/main"],
        ["merge_request", "merge"],
        ["push", `refs/heads/${made["source_branch"]}`],
      ]),
    );
    await work("fetch", "--prune", "origin");
    const parents = (await work("log", "-1", "--format=%P%n%B", "origin/main")).split("\n");
    expect(parents[0]?.split(" ")[1]).toBe(made["sha"]);
    expect(parents.at(-1)).toBe(`See merge request acme/shop!${made["iid"]}`);
    expect(await work("rev-parse", "origin/main")).toBe(answer.body.merge_commit_sha);
    expect(await work("branch", "-r")).not.toContain(made["source_branch"]);
  });

  test("is done once, however many ask at once", async () => {
    const made = await open();
    const answers = await Promise.all([1, 2].map(() => scene.call("PUT", `${path}/${made["iid"]}/merge`)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 405]);
  });

  test("keeps a source that a rule with a star protects", async () => {
    const made = await open({ remove_source_branch: true });
    const rule = `${made["source_branch"]}*`;
    await scene.call("POST", "/projects/1/protected_branches", { name: rule });
    const answer = await scene.call("PUT", `${path}/${made["iid"]}/merge`);
    await scene.call("DELETE", `/projects/1/protected_branches/${encodeURIComponent(rule)}`);
    expect(answer.body.state).toBe("merged");
    const kept = await scene.call("GET", `/projects/1/repository/branches/${made["source_branch"]}`);
    expect(kept.status).toBe(200);
  });

  test("squashes into one commit", async () => {
    const made = await open({ squash: true });
    const words = { squash_commit_message: "All in one" };
    const answer = await scene.call("PUT", `${path}/${made["iid"]}/merge`, words);
    await work("fetch", "origin");
    const second = await work("rev-parse", "origin/main^2");
    expect([answer.body.squash_commit_sha, await work("log", "-1", "--format=%s", second)]).toEqual([
      second,
      "All in one",
    ]);
  });

  test("is refused in GitLab's order", async () => {
    const mine = await open();
    const accept = (iid: number, body: unknown = {}, token?: string) =>
      scene.call("PUT", `${path}/${iid}/merge`, body, token);
    const bob = scene.sandbox.state.createUser({ username: `bob${++count}` });
    scene.project.members.set(bob.id, 20);
    expect(shown(await accept(mine["iid"], {}, scene.tokenWith({ user: bob })))).toEqual([
      401,
      { message: "401 Unauthorized" },
    ]);
    expect(shown(await accept(mine["iid"], { sha: "0".repeat(40) }))).toEqual([
      409,
      { message: `SHA does not match HEAD of source branch: ${mine["sha"]}` },
    ]);
    const draft = await open({ title: "Draft: not yet" });
    expect(shown(await accept(draft["iid"]))).toEqual([405, { message: "405 Method Not Allowed" }]);
    await accept(mine["iid"]);
    expect((await accept(mine["iid"])).status).toBe(405);
  });

  test("conflicts are told, not merged", async () => {
    await work("fetch", "origin");
    await work("checkout", "-B", "clash", "origin/main");
    await work("rm", "-q", "index.html");
    await work("commit", "-m", "remove");
    await work("push", "origin", "clash");
    const made = await open({ source_branch: "clash" });
    const change = { branch: "main", commit_message: "edit", content: "changed\n" };
    await scene.call("PUT", "/projects/1/repository/files/index.html", change);
    const now = await scene.call("GET", `${path}/${made["iid"]}`);
    expect(now.body).toMatchObject({
      merge_status: "cannot_be_merged",
      detailed_merge_status: "conflict",
      has_conflicts: true,
    });
    expect(shown(await scene.call("PUT", `${path}/${made["iid"]}/merge`, {}))).toEqual([
      422,
      { message: "Branch cannot be merged" },
    ]);
  });
});

test("lists filter and sort; changes and diffs tell the files", async () => {
  const made = await open({ title: "Needle", labels: "rare" });
  const iids = async (query: string) =>
    (await scene.call("GET", `${path}?${query}`)).body.map((one: { iid: number }) => one.iid);
  expect(await iids("search=needle")).toEqual([made["iid"]]);
  expect(await iids("labels=rare&state=opened")).toEqual([made["iid"]]);
  expect(await iids(`source_branch=${made["source_branch"]}`)).toEqual([made["iid"]]);
  expect(await iids(`iids[]=${made["iid"]}`)).toEqual([made["iid"]]);
  expect(await iids("author_username=nobody")).toEqual([]);
  const all = await iids("sort=asc&per_page=100");
  expect(all).toEqual(all.toSorted((a: number, b: number) => a - b));
  expect(shown(await scene.call("GET", `${path}?state=bad`))).toEqual([
    400,
    { error: "state does not have a valid value" },
  ]);
  const changes = await scene.call("GET", `${path}/${made["iid"]}/changes`);
  expect(changes.body).toMatchObject({ changes_count: String(changes.body.changes.length), overflow: false });
  const diffs = await scene.call("GET", `${path}/${made["iid"]}/diffs`);
  expect(diffs.body).toEqual(changes.body.changes);
});

describe("notes", () => {
  test("are made, told, changed and removed", async () => {
    const { iid } = await open();
    await told();
    receiver.asked.length = 0;
    const notes = `${path}/${iid}/notes`;
    const made = await scene.call("POST", notes, { body: "Looks good\n/not-a-command" });
    expect([made.status, made.body.body]).toEqual([201, "Looks good\n/not-a-command"]);
    const [payload] = await told();
    expect(payload).toMatchObject({
      object_kind: "note",
      object_attributes: {
        note: "Looks good\n/not-a-command",
        noteable_type: "MergeRequest",
        action: "create",
      },
      merge_request: { iid },
    });
    expect(receiver.asked[0]?.headers["x-gitlab-event"]).toBe("Note Hook");
    const changed = await scene.call("PUT", `${notes}/${made.body.id}`, { body: "Looks bad" });
    expect([changed.status, changed.body.body]).toEqual([200, "Looks bad"]);
    expect((await scene.call("GET", notes)).body).toHaveLength(1);
    expect((await scene.call("GET", `${path}/${iid}`)).body.user_notes_count).toBe(1);
    expect((await scene.call("DELETE", `${notes}/${made.body.id}`)).status).toBe(204);
    expect(shown(await scene.call("GET", `${notes}/${made.body.id}`))).toEqual([
      404,
      { message: "404 Not found" },
    ]);
  });

  test("are refused with GitLab's words", async () => {
    const { iid } = await open();
    const notes = `${path}/${iid}/notes`;
    expect(shown(await scene.call("POST", notes, {}))).toEqual([400, { error: "body is missing" }]);
    expect(shown(await scene.call("POST", notes, { body: " " }))).toEqual([
      400,
      { message: `400 Bad request - Note {:note=>["can't be blank"]}` },
    ]);
    expect(shown(await scene.call("POST", `${path}/999/notes`, { body: "x" }))).toEqual([
      404,
      { message: "404 MergeRequest Not Found" },
    ]);
    await scene.call("POST", notes, { body: "x" });
    scene.sandbox.faults.applicationLimits["notes_create"] = 0;
    expect((await scene.call("POST", `${path}/999/notes`, { body: "x" })).status).toBe(429);
    delete scene.sandbox.faults.applicationLimits["notes_create"];
    const carl = scene.sandbox.state.createUser({ username: `carl${++count}` });
    scene.project.members.set(carl.id, 30);
    const others = scene.tokenWith({ user: carl });
    const id = (await scene.call("GET", notes)).body[0].id;
    expect((await scene.call("DELETE", `${notes}/${id}`, undefined, others)).status).toBe(403);
  });

  test("of nothing but quick actions do what they say", async () => {
    const { iid } = await open();
    const answer = await scene.call("POST", `${path}/${iid}/notes`, { body: "/close\n/title Done with" });
    expect(shown(answer)).toEqual([
      202,
      {
        commands_changes: { state_event: "close", title: "Done with" },
        summary: ["Closed this merge request.", 'Changed the title to "Done with".'],
      },
    ]);
    expect((await scene.call("GET", `${path}/${iid}`)).body).toMatchObject({
      state: "closed",
      title: "Done with",
    });
  });
});

test("a test of the hook sends the newest of each", async () => {
  const { iid } = await open();
  await scene.call("POST", `${path}/${iid}/notes`, { body: "newest" });
  await told();
  receiver.asked.length = 0;
  for (const trigger of ["merge_requests_events", "note_events"])
    expect((await scene.call("POST", `/projects/1/hooks/1/test/${trigger}`)).status).toBe(201);
  expect((await told()).map((one) => one["object_attributes"].action)).toEqual(["open", "create"]);
});
