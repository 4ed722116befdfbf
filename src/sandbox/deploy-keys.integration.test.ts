import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScene, type Answer, type Scene } from "./scene.suite.ts";

let scene: Scene;
let admin: string;
beforeAll(async () => {
  scene = await openScene();
  admin = scene.tokenWith({ user: scene.sandbox.state.root });
});
afterAll(() => scene[Symbol.asyncDispose]());

const path = "/projects/1/deploy_keys";

function freshKey(comment = "me@here"): string {
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const blob = Buffer.concat([field(Buffer.from("ssh-ed25519")), field(randomBytes(32))]);
  return `ssh-ed25519 ${blob.toString("base64")} ${comment}`.trim();
}

function shown(answer: Answer): unknown[] {
  return [answer.status, answer.body];
}

async function otherProject(name: string): Promise<number> {
  return (await scene.sandbox.state.createProject({ path: `acme/${name}`, owner: scene.ann })).id;
}

describe("one key, many projects", () => {
  test("the same material under another comment is taken, even in its own project", async () => {
    const key = freshKey();
    await scene.call("POST", path, { title: "x", key });
    const bare = key.split(" ").slice(0, 2).join(" ");
    expect(shown(await scene.call("POST", path, { title: "y", key: bare }))).toEqual([
      400,
      { message: { "deploy_key.fingerprint_sha256": ["has already been taken"] } },
    ]);
  });

  test("enabling joins what the user reaches, and nothing else", async () => {
    const made = await scene.call("POST", path, { title: "x", key: freshKey(), can_push: true });
    const second = await otherProject("second");
    const enable = (id: number, token?: string) =>
      scene.call("POST", `/projects/${second}/deploy_keys/${id}/enable`, undefined, token);
    const joined = await enable(made.body.id);
    expect([joined.status, joined.body.id, joined.body.can_push]).toEqual([201, made.body.id, false]);
    expect((await enable(made.body.id)).status).toBe(201);
    const hidden = await scene.sandbox.state.createProject({ path: "secret/one" });
    const foreign = await scene.call(
      "POST",
      `/projects/${hidden.id}/deploy_keys`,
      { title: "x", key: freshKey() },
      admin,
    );
    expect(shown(await enable(foreign.body.id))).toEqual([404, { message: "404 Deploy key Not Found" }]);
    expect((await enable(foreign.body.id, admin)).status).toBe(201);
  });

  test("public keys are made by administrators, reach everywhere and stay", async () => {
    const key = freshKey();
    expect((await scene.call("POST", "/deploy_keys", { title: "all", key })).status).toBe(403);
    expect(shown(await scene.call("POST", "/deploy_keys", { title: "x" }, admin))).toEqual([
      400,
      { error: "key is missing" },
    ]);
    const made = await scene.call("POST", "/deploy_keys", { title: "all", key }, admin);
    expect([made.status, made.body.projects_with_write_access]).toEqual([201, []]);
    expect(shown(await scene.call("POST", "/deploy_keys", { title: "all", key }, admin))).toEqual([
      400,
      { message: { fingerprint_sha256: ["has already been taken"] } },
    ]);
    const { id } = made.body;
    expect((await scene.call("POST", `${path}/${id}/enable`)).status).toBe(201);
    expect((await scene.call("DELETE", `${path}/${id}`)).status).toBe(204);
    const listed = await scene.call("GET", "/deploy_keys?public=true", undefined, admin);
    expect(listed.body.map((one: { id: number }) => one.id)).toEqual([id]);
  });
});

describe("editing", () => {
  test("needs one of the two, a good title, and a key of the project", async () => {
    const { id } = (await scene.call("POST", path, { title: "x", key: freshKey() })).body;
    expect(shown(await scene.call("PUT", `${path}/${id}`, {}))).toEqual([
      400,
      { error: "title, can_push are missing, at least one parameter must be provided" },
    ]);
    expect(shown(await scene.call("PUT", `${path}/${id}`, { title: " " }))).toEqual([
      400,
      { message: { "deploy_key.title": ["can't be blank"] } },
    ]);
    const put = await scene.call("PUT", `${path}/${id}`, { title: "new", can_push: true });
    expect([put.status, put.body.title, put.body.can_push]).toEqual([200, "new", true]);
    expect(shown(await scene.call("PUT", `${path}/9999`, { title: "x" }))).toEqual([
      404,
      { message: "404 Not found" },
    ]);
  });

  test("the title of a shared or a public key is the administrator's, what it may do is the project's", async () => {
    const { id } = (await scene.call("POST", path, { title: "mine", key: freshKey() })).body;
    await scene.call("POST", `/projects/${await otherProject("third")}/deploy_keys/${id}/enable`);
    const put = await scene.call("PUT", `${path}/${id}`, { title: "other", can_push: true });
    expect([put.status, put.body.title, put.body.can_push]).toEqual([200, "mine", true]);
    const forced = await scene.call("PUT", `${path}/${id}`, { title: "other" }, admin);
    expect(forced.body.title).toBe("other");
  });
});

test("expiry came with 16.1; before it was ignored", async () => {
  const given = () => ({ title: "x", key: freshKey(), expires_at: "2001-01-01" });
  expect(shown(await scene.call("POST", path, given()))).toEqual([
    400,
    { message: { "deploy_key.key": ["has expired"] } },
  ]);
  expect(shown(await scene.call("POST", path, { ...given(), expires_at: "never" }))).toEqual([
    400,
    { error: "expires_at is invalid" },
  ]);
  const good = await scene.call("POST", path, { ...given(), expires_at: "2999-01-01" });
  expect(good.body.expires_at).toBe("2999-01-01T00:00:00.000Z");
  await using old = await openScene({ version: "15.11.0" });
  const made = await old.call("POST", path, given());
  expect([made.status, "expires_at" in made.body]).toEqual([201, false]);
});

test("Developers have no part in it, before any parameter is looked at", async () => {
  const bob = scene.sandbox.state.createUser({ username: "bob" });
  scene.project.members.set(bob.id, 30);
  const token = scene.tokenWith({ user: bob });
  for (const [method, at] of [
    ["GET", path],
    ["POST", path],
    ["PUT", `${path}/1`],
    ["DELETE", `${path}/1`],
    ["POST", `${path}/1/enable`],
  ] as const)
    expect(shown(await scene.call(method, at, undefined, token))).toEqual([
      403,
      { message: "403 Forbidden" },
    ]);
});
