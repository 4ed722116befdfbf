import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScene, type Scene } from "./scene.suite.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene[Symbol.asyncDispose]());

/** What `ssh-keygen -t ed25519` writes: length-prefixed type and key, the key being the last 32 bytes of its DER form. */
function newKey(): string {
  const { publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  const field = (bytes: Buffer): Buffer[] => [Buffer.from([0, 0, 0, bytes.length]), bytes];
  const blob = Buffer.concat([...field(Buffer.from("ssh-ed25519")), ...field(raw)]);
  return `ssh-ed25519 ${blob.toString("base64")} someone`;
}

describe("deploy keys", () => {
  const path = "/projects/1/deploy_keys";

  test("the same string is the same key, another comment is not", async () => {
    const key = newKey();
    const made = await scene.call("POST", path, { title: "one", key: `${key}\n` });
    expect([made.status, made.body.key, made.body.can_push]).toEqual([201, key, false]);
    const again = await scene.call("POST", path, { title: "two", key, can_push: true });
    expect([again.status, again.body]).toEqual([201, made.body]);
    const other = await scene.call("POST", path, { title: "three", key: `${key}-else` });
    expect([other.status, other.body]).toEqual([
      400,
      { message: { "deploy_key.fingerprint_sha256": ["has already been taken"] } },
    ]);
  });

  test("a key joins another project of the same Maintainer and goes with its last link", async () => {
    const key = newKey();
    const second = await scene.sandbox.state.createProject({ path: "acme/second", owner: scene.ann });
    const { body } = await scene.call("POST", path, { title: "shared", key });
    const joined = await scene.call("POST", `/projects/${second.id}/deploy_keys`, { title: "x", key });
    expect([joined.status, joined.body.id, joined.body.title]).toEqual([201, body.id, "shared"]);
    expect((await scene.call("DELETE", `${path}/${body.id}`)).status).toBe(204);
    expect(scene.sandbox.rows.deployKeys.has(body.id)).toBe(true);
    expect((await scene.call("DELETE", `/projects/${second.id}/deploy_keys/${body.id}`)).status).toBe(204);
    expect(scene.sandbox.rows.deployKeys.has(body.id)).toBe(false);
  });

  test("a key of a project that one cannot reach is taken", async () => {
    const key = newKey();
    const hidden = await scene.sandbox.state.createProject({ path: "secret/x" });
    const admin = scene.tokenWith({ user: scene.sandbox.state.root });
    await scene.call("POST", `/projects/${hidden.id}/deploy_keys`, { title: "x", key }, admin);
    const answer = await scene.call("POST", path, { title: "y", key });
    expect(answer.body).toEqual({ message: { "deploy_key.fingerprint_sha256": ["has already been taken"] } });
  });

  test.each([
    [{}, { error: "key is missing, title is missing" }],
    [{ key: "ssh-ed25519 AAAA" }, { error: "title is missing" }],
  ])("%j: 400 %j", async (body, expected) => {
    const answer = await scene.call("POST", path, body);
    expect([answer.status, answer.body]).toEqual([400, expected]);
  });

  test("garbage is no key", async () => {
    const answer = await scene.call("POST", path, { key: "garbage", title: "x" });
    expect([answer.status, Object.keys(answer.body.message)]).toContain(400);
    expect(answer.body.message["deploy_key.key"]).toEqual(["is invalid"]);
  });
});

describe("commit statuses", () => {
  const head = async (): Promise<string> =>
    (await scene.call("GET", "/projects/1/repository/branches/main")).body.commit.id;
  const set = async (state: string, name: string, more: Record<string, unknown> = {}) =>
    scene.call("POST", `/projects/1/statuses/${await head()}`, { state, name, ...more });

  test("pending, running, success are one row; what comes after is another", async () => {
    const first = await set("pending", "walk");
    expect([first.status, first.body.status, first.body.ref]).toEqual([201, "pending", "main"]);
    const running = await set("running", "walk", { description: "going" });
    expect([running.body.id, running.body.started_at === null]).toEqual([first.body.id, false]);
    const done = await set("success", "walk", { target_url: "https://example.com/x" });
    expect(done.body).toMatchObject({ id: first.body.id, status: "success", description: "going" });
    const anew = await set("failed", "walk");
    expect(anew.body.id).not.toBe(first.body.id);
    const latest = await scene.call(
      "GET",
      `/projects/1/repository/commits/${await head()}/statuses?name=walk`,
    );
    expect(latest.body.map((one: { status: string }) => one.status)).toEqual(["failed"]);
    const all = await scene.call(
      "GET",
      `/projects/1/repository/commits/${await head()}/statuses?name=walk&all=true`,
    );
    expect(all.body).toHaveLength(2);
  });

  test("the same state twice is refused in the words of the state machine", async () => {
    await set("pending", "twice");
    const pending = await set("pending", "twice");
    expect([pending.status, pending.body]).toEqual([
      400,
      {
        message:
          'Cannot transition status via :enqueue from :pending (Reason(s): Status cannot transition via "enqueue")',
      },
    ]);
    await set("running", "twice");
    expect((await set("running", "twice")).body.message).toMatch(
      /^Cannot transition status via :run from :running/,
    );
    expect((await set("pending", "twice")).body.message).toMatch(
      /^Cannot transition status via :enqueue from :running/,
    );
  });

  test.each([
    [{}, 400, { error: "state is missing" }],
    [{ state: "nope" }, 400, { error: "state does not have a valid value" }],
    [
      { state: "pending", target_url: "git://x" },
      400,
      { message: { target_url: ["is blocked: Only allowed schemes are http, https"] } },
    ],
    [
      { state: "pending", pipeline_id: 99999 },
      404,
      { message: "404 Pipeline for pipeline_id, sha and ref Not Found" },
    ],
  ])("%j: %d %j", async (body, status, expected) => {
    const answer = await scene.call("POST", `/projects/1/statuses/${await head()}`, body);
    expect([answer.status, answer.body]).toEqual([status, expected]);
  });

  test("an unknown commit, a Reporter, a protected branch", async () => {
    const zeros = await scene.call("POST", `/projects/1/statuses/${"0".repeat(40)}`, { state: "pending" });
    expect([zeros.status, zeros.body]).toEqual([404, { message: "404 Commit Not Found" }]);
    const bob = scene.sandbox.state.createUser({ username: "bob" });
    const token = scene.tokenWith({ user: bob });
    const path = `/projects/1/statuses/${await head()}`;
    scene.sandbox.state.addMember(scene.project, bob, 20);
    expect((await scene.call("POST", path, { state: "pending" }, token)).status).toBe(403);
    scene.sandbox.state.addMember(scene.project, bob, 30);
    expect((await scene.call("POST", path, { state: "pending" }, token)).status).toBe(403);
    expect(
      (await scene.call("POST", path, { state: "pending", name: "bob", ref: "other" }, token)).status,
    ).toBe(201);
  });
});
