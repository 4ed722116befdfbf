import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScene, type Scene } from "./scene.suite.ts";

let scene: Scene;
let first = "";
const repo = "/projects/1/repository";
beforeAll(async () => {
  scene = await openScene();
  first = (await scene.call("GET", `${repo}/branches/main`)).body.commit.id;
  await scene.call("POST", `${repo}/branches`, { branch: "work", ref: "main" });
  scene.sandbox.faults.clockSkewSeconds = 60;
  await scene.sandbox.state.commit(scene.project, { "work.txt": "w" }, { branch: "work" });
  scene.sandbox.faults.clockSkewSeconds = 0;
});
afterAll(() => scene[Symbol.asyncDispose]());

/** Status and what an error says, in whichever envelope. */
async function said(method: string, path: string, body?: unknown): Promise<unknown[]> {
  const answer = await scene.call(method, path, body);
  return [answer.status, answer.body?.message ?? answer.body?.error ?? answer.body];
}

describe("tags", () => {
  test("light and annotated ones are made, found, sorted and removed", async () => {
    const light = await scene.call("POST", `${repo}/tags`, { tag_name: "v1.9", ref: "main" });
    expect([light.status, light.body.message, light.body.target, light.body.created_at]).toEqual([
      201,
      null,
      first,
      null,
    ]);
    const body = { tag_name: "v1.10", ref: "work", message: "Release\n\nwith notes" };
    const annotated = await scene.call("POST", `${repo}/tags`, body);
    expect(annotated.body).toMatchObject({
      name: "v1.10",
      message: "Release\n\nwith notes",
      protected: false,
      release: null,
    });
    expect(annotated.body.target).not.toBe(annotated.body.commit.id);
    expect(annotated.body.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+00:00$/);
    const names = async (query: string) =>
      (await scene.call("GET", `${repo}/tags?${query}`)).body.map((tag: { name: string }) => tag.name);
    expect(await names("order_by=version&sort=asc")).toEqual(["v1.9", "v1.10"]);
    expect(await names("order_by=name&sort=asc")).toEqual(["v1.10", "v1.9"]);
    expect(await names("search=^V1.9")).toEqual(["v1.9"]);
    expect(await said("POST", `${repo}/tags`, { tag_name: "v1.9", ref: "main" })).toEqual([
      400,
      "Tag v1.9 already exists",
    ]);
    expect(await said("POST", `${repo}/tags`, { tag_name: "a b", ref: "main" })).toEqual([
      400,
      "Tag name invalid",
    ]);
    expect(await said("POST", `${repo}/tags`, { tag_name: "x", ref: "foo" })).toEqual([
      400,
      "Target foo is invalid",
    ]);
    expect(await said("GET", `${repo}/tags/v1`)).toEqual([404, "404 Tag Not Found"]);
    expect((await scene.call("DELETE", `${repo}/tags/v1.9`)).status).toBe(204);
    expect(await said("DELETE", `${repo}/tags/v1.9`)).toEqual([404, "404 Tag Not Found"]);
  });
});

describe("branches", () => {
  test("odd names, sorting, clashes", async () => {
    for (const branch of ["päth/ünï", "a@b", "feature/#1-50%", "-x", "x.lock", "a..b", "a b"]) {
      const made = await scene.call("POST", `${repo}/branches`, { branch, ref: "main" });
      const good = ["päth/ünï", "a@b", "feature/#1-50%"].includes(branch);
      expect([branch, made.status]).toEqual([branch, good ? 201 : 400]);
      const got = await scene.call("GET", `${repo}/branches/${encodeURIComponent(branch)}`);
      expect([branch, got.status]).toEqual([branch, good ? 200 : 400]);
    }
    expect(await said("POST", `${repo}/branches`, { branch: "a@b/c", ref: "main" })).toEqual([
      400,
      "Failed to create branch 'a@b/c': Branch name conflicts with existing branch hierarchy.",
    ]);
    expect(await said("POST", `${repo}/branches`, { branch: "n", ref: "none" })).toEqual([
      400,
      "Failed to create branch 'n': invalid reference name 'none'",
    ]);
    const sorted = await scene.call("GET", `${repo}/branches?sort=updated_desc&per_page=1`);
    expect(sorted.body[0].name).toBe("work");
    const page = await scene.call("GET", `${repo}/branches?pagination=keyset&per_page=2`);
    const next = /<([^>]*)>; rel="next"/.exec(page.headers.get("link") ?? "")?.[1] ?? "";
    expect(new URL(next).searchParams.get("page_token")).toBe(page.body[1].name);
    const rest = await scene.call("GET", next.slice(next.indexOf("/projects")));
    expect(rest.body).toHaveLength(2);
    expect(await said("GET", `${repo}/branches?regex=(`)).toEqual([400, "Regex is invalid"]);
  });

  test("protection, by name and by pattern, over the API and git", async () => {
    const rules = "/projects/1/protected_branches";
    const made = await scene.call("POST", rules, { name: "release/*", push_access_level: 0 });
    expect([made.status, made.body.push_access_levels[0].access_level_description]).toEqual([201, "No one"]);
    expect(await said("POST", rules, { name: "release/*" })).toEqual([
      409,
      "409 Conflict: Protected branch 'release/*' already exists",
    ]);
    await scene.git("clone", scene.remote(), "protect");
    const push = await scene.git("-C", "protect", "push", "origin", "HEAD:refs/heads/release/1");
    expect(push.output).toContain(
      "remote: GitLab: You are not allowed to create protected branches on this project.",
    );
    expect((await scene.call("DELETE", `${rules}/release%2F*`)).status).toBe(204);
    expect((await scene.git("-C", "protect", "push", "origin", "HEAD:refs/heads/release/1")).ok).toBe(true);
    await scene.call("POST", rules, { name: "release/*" });
    expect((await scene.call("GET", `${repo}/branches/release%2F1`)).body.protected).toBe(true);
    expect(await said("GET", `${rules}/none`)).toEqual([404, "404 ProtectedBranch Not Found"]);
    expect(await said("DELETE", `${repo}/branches/main`)).toEqual([
      400,
      "The default branch of a project cannot be deleted.",
    ]);
    expect((await scene.call("DELETE", `${repo}/merged_branches`)).status).toBe(202);
    const left = (await scene.call("GET", `${repo}/branches`)).body.map(
      (branch: { name: string }) => branch.name,
    );
    expect(left).toEqual(["main", "release/1", "work"]);
  });
});
