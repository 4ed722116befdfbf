import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScene, type Scene } from "./scene.suite.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene[Symbol.asyncDispose]());

describe("projects are created as GitLab creates them", () => {
  test("empty, with a README, and refused by field", async () => {
    const empty = await scene.call("POST", "/projects", { name: "Fresh One" });
    expect([empty.status, empty.body.path_with_namespace, empty.body.empty_repo]).toEqual([
      201,
      "ann/fresh-one",
      true,
    ]);
    expect((await scene.call("GET", `/projects/${empty.body.id}/repository/branches`)).body).toEqual([]);
    const filled = await scene.call("POST", "/projects", { path: "filled", initialize_with_readme: true });
    expect(filled.body.empty_repo).toBe(false);
    expect((await scene.call("GET", `/projects/${filled.body.id}/repository/tree`)).body[0].path).toBe(
      "README.md",
    );
    const taken = await scene.call("POST", "/projects", { name: "Fresh One" });
    expect([taken.status, taken.body.message.name]).toEqual([400, ["has already been taken"]]);
  });

  test.each(["-x-.git", "..", "a/b", "tree", "x\u0000y"])("path %o is refused", async (path) => {
    const answer = await scene.call("POST", "/projects", { name: "good", path });
    expect([answer.status, Object.keys(answer.body.message)]).toEqual([400, ["path"]]);
  });

  test.each([
    [{ name: "x", namespace_id: 999 }, 400, { message: { namespace: ["is not valid"] } }],
    [
      { name: "x", template_name: "nope" },
      400,
      { message: { template_name: ["'nope' is unknown or invalid"] } },
    ],
    [{ name: "x", visibility: "secret" }, 400, { error: "visibility does not have a valid value" }],
  ])("%j: %d %j", async (body, status, expected) => {
    const answer = await scene.call("POST", "/projects", body);
    expect([answer.status, answer.body]).toEqual([status, expected]);
  });
});

describe("files", () => {
  test("are written, read back byte for byte, and guarded against stale edits", async () => {
    const bytes = Buffer.from([0, 255, 10, 13, 128]);
    const path = "/projects/1/repository/files/lib%2Fnew%20file.bin";
    const change = {
      branch: "main",
      commit_message: "Add",
      content: bytes.toString("base64"),
      encoding: "base64",
    };
    expect((await scene.call("POST", path, change)).status).toBe(201);
    expect((await scene.call("POST", path, change)).body).toEqual({
      message: "A file with this name already exists",
    });
    const file = await scene.call("GET", `${path}?ref=main`);
    expect(Buffer.from(file.body.content, "base64")).toEqual(bytes);
    expect(file.headers.get("x-gitlab-blob-id")).toBe(file.body.blob_id);
    const stale = await scene.call("PUT", path, { ...change, last_commit_id: "0".repeat(40) });
    expect(stale.body.message).toContain("has changed since you started editing it");
    const fresh = await scene.call("PUT", path, {
      ...change,
      content: "YQ==",
      last_commit_id: file.body.last_commit_id,
    });
    expect(fresh.status).toBe(200);
  });

  test.each([
    "..%2F..%2Fetc%2Fpasswd",
    ".git%2Fconfig",
    "a%2F.GIT%2Fhooks%2Fx",
    "%2Fetc%2Fpasswd",
    "git~1%2Fx",
  ])("%s is no path of a file", async (path) => {
    const url = `/projects/1/repository/files/${path}`;
    const change = { branch: "main", commit_message: "x", content: "x" };
    expect((await scene.call("POST", url, change)).body).toEqual({
      error: "file_path should be a valid file path",
    });
    expect((await scene.call("GET", `${url}?ref=main`)).status).toBe(400);
  });

  test("a revision is never taken for an option of git", async () => {
    for (const [ref, status] of [
      ["--all", 404],
      ["-h", 404],
      ["--upload-pack=touch%20x", 404],
      ["main%00x", 400], // refused in front of the API, as every address with a null byte
    ] as const) {
      expect((await scene.call("GET", `/projects/1/repository/tree?ref=${ref}`)).status).toBe(status);
      expect((await scene.call("GET", `/projects/1/repository/commits/${ref}`)).status).toBe(status);
    }
  });
});

test("faults: 502 page, maintenance, and a page that tells no token", async () => {
  await using other = await openScene();
  const page = await (await fetch(`${other.sandbox.url}/`)).text();
  expect(page).toContain("acme/shop");
  expect(page).not.toContain(other.token);
  other.sandbox.faults.front.answer = "bad_gateway";
  const bad = await other.call("GET", "/user");
  expect([bad.status, bad.headers.get("content-type"), bad.headers.get("x-gitlab-meta")]).toEqual([
    502,
    "text/html",
    null,
  ]);
  other.sandbox.faults.front.answer = "none";
  other.sandbox.faults.maintenance = true;
  const json = await other.call("POST", "/projects", { name: "x" });
  expect([json.status, json.headers.get("retry-after"), Object.keys(json.body)]).toEqual([
    503,
    "900",
    ["message"],
  ]);
  const form = await fetch(`${other.sandbox.url}/api/v4/projects`, { method: "POST", redirect: "manual" });
  expect(form.status).toBe(301);
  expect((await other.call("GET", "/user")).status).toBe(200);
});

test("names of people and projects are escaped on the page", async () => {
  await using other = await openScene();
  other.sandbox.state.createToken({ user: other.ann, name: "<script>alert(1)</script>" });
  const response = await fetch(`${other.sandbox.url}/`);
  expect(await response.text()).not.toContain("<script>");
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
});

test("below a relative root everything moves, and the root itself is somebody else", async () => {
  await using other = await openScene({ relativeUrl: "/gitlab/" });
  expect(other.sandbox.url).toMatch(/:\d+\/gitlab$/);
  expect((await other.call("GET", "/projects/1")).body.web_url).toBe(`${other.sandbox.url}/acme/shop`);
  const outside = await fetch(`${new URL(other.sandbox.url).origin}/api/v4/user`);
  expect([outside.status, outside.headers.get("content-type")]).toEqual([404, "text/html; charset=utf-8"]);
  expect((await other.git("clone", other.remote(), "w")).ok).toBe(true);
});
