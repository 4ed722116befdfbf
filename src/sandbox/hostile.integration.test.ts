import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScene, type Scene } from "./scene.suite.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene[Symbol.asyncDispose]());

const LONG = "x".repeat(200_000);
const NESTED = `{"name":${"[".repeat(50_000)}${"]".repeat(50_000)}}`;

describe("what once ended in a 500", () => {
  const repository = "/projects/1/repository";
  test.each([
    ["GET", `${repository}/commits?path=`, undefined, 200],
    ["GET", `${repository}/commits?path=..%2F..%2Fetc%2Fpasswd`, undefined, 200],
    ["GET", `${repository}/commits?path=%2F`, undefined, 200],
    ["GET", `${repository}/commits?author=a%00b`, undefined, 400],
    ["GET", `${repository}/branches/a%00b`, undefined, 400],
    ["POST", `${repository}/tags`, { tag_name: "t", ref: LONG }, 400],
    ["POST", "/projects/1/merge_requests", { title: "t", source_branch: LONG, target_branch: "main" }, 201],
    ["POST", "/projects", NESTED, 400],
  ])("%s %s", async (method, path, body, status) => {
    expect((await scene.call(method, path, body)).status).toBe(status);
  });

  test("a path outside of the repository has no commits, and an empty one is none", async () => {
    expect((await scene.call("GET", `${repository}/commits?path=..%2Fx`)).body).toEqual([]);
    expect((await scene.call("GET", `${repository}/commits?path=`)).body).toHaveLength(1);
  });

  test("a null byte in the address is GitLab's 400 in plain text", async () => {
    const answer = await scene.call("GET", "/projects?search=a%00b");
    expect([answer.status, answer.text]).toEqual([400, "Bad Request"]);
    expect(answer.headers.get("content-type")).toBe("text/plain");
  });

  test("a branch or tag below another one", async () => {
    const barred = "Branch name conflicts with existing branch hierarchy.";
    const commit = { branch: "main/x", start_branch: "main", commit_message: "m", content: "x" };
    const written = await scene.call("POST", `${repository}/files/new.txt`, commit);
    expect([written.status, written.body.message]).toEqual([
      400,
      `Something went wrong when we tried to create 'main/x' for you: ${barred}`,
    ]);
    const branch = await scene.call("POST", `${repository}/branches`, { branch: "main/x", ref: "main" });
    expect([branch.status, branch.body.message]).toEqual([
      400,
      `Failed to create branch 'main/x': ${barred}`,
    ]);
    expect((await scene.call("POST", `${repository}/tags`, { tag_name: "v", ref: "main" })).status).toBe(201);
    expect((await scene.call("POST", `${repository}/tags`, { tag_name: "v/1", ref: "main" })).status).toBe(
      400,
    );
  });

  test("two who make the same branch or tag at once: one of them has made it", async () => {
    const twice = async (path: string, body: unknown): Promise<number[]> =>
      (await Promise.all([1, 2, 3].map(() => scene.call("POST", path, body))))
        .map(({ status }) => status)
        .toSorted((a, b) => a - b);
    expect(await twice(`${repository}/branches`, { branch: "once", ref: "main" })).toEqual([201, 400, 400]);
    expect(await twice(`${repository}/tags`, { tag_name: "once", ref: "main" })).toEqual([201, 400, 400]);
  });
});
