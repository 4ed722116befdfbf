import { describe, expect, test } from "vitest";
import { openScene, type Answer } from "./scene.suite.ts";

const brief = (answer: Answer): unknown[] => [answer.status, answer.body];

describe("a project that was renamed", () => {
  test.each(["16.6.0", "10.5.0"])("%s: is not found by its old path", async (version) => {
    await using scene = await openScene({ version });
    expect((await scene.call("PUT", "/projects/1", { path: "store" })).body.path_with_namespace).toBe(
      "acme/store",
    );
    expect(brief(await scene.call("GET", "/projects/acme%2Fshop"))).toEqual([
      404,
      { message: "404 Project Not Found" },
    ]);
  });

  test.each(["16.7.0", "18.9.0"])("%s: redirects readers to its id and refuses all else", async (version) => {
    await using scene = await openScene({ version });
    await scene.call("PUT", "/projects/1", { path: "store" });
    const moved = await scene.call("GET", "/projects/ACME%2Fshop/repository/tree?ref=main");
    const url = `${scene.sandbox.url}/api/v4/projects/1/repository/tree?ref=main`;
    expect([moved.status, moved.headers.get("location"), moved.text]).toEqual([
      301,
      url,
      `This resource has been moved permanently to ${url}`,
    ]);
    const write = await scene.call("POST", "/projects/acme%2Fshop/hooks", { url: "http://127.0.0.1:9" });
    expect(brief(write)).toEqual([405, { message: "Non GET methods are not allowed for moved projects" }]);
    const stranger = scene.tokenWith({ user: scene.sandbox.state.createUser({ username: "eve" }) });
    expect((await scene.call("GET", "/projects/acme%2Fshop", undefined, stranger)).status).toBe(404);
    await scene.sandbox.state.createProject({ path: "acme/shop", owner: scene.ann });
    expect((await scene.call("GET", "/projects/acme%2Fshop")).body.id).toBe(2);
  });

  test("its group's new path moves it, too, and a clone of the old address still works", async () => {
    await using scene = await openScene();
    const group = await scene.call("PUT", "/groups/acme", { path: "apex" });
    expect([group.status, group.body.full_path]).toEqual([200, "apex"]);
    expect((await scene.call("GET", "/projects/1")).body.path_with_namespace).toBe("apex/shop");
    expect((await scene.call("GET", "/projects/acme%2Fshop")).status).toBe(301);
    expect((await scene.call("GET", "/groups/acme")).status).toBe(404);
    expect((await scene.git("clone", scene.remote("acme/shop"), "old")).ok).toBe(true);
  });
});

describe("deleting", () => {
  test("17.11.0: it is gone at once, and there is nothing to restore", async () => {
    await using scene = await openScene({ version: "17.11.0" });
    expect(brief(await scene.call("DELETE", "/projects/1"))).toEqual([202, { message: "202 Accepted" }]);
    expect((await scene.call("GET", "/projects/1")).status).toBe(404);
    expect(brief(await scene.call("POST", "/projects/1/restore"))).toEqual([404, { error: "404 Not Found" }]);
  });

  test("18.9.0: it is marked, gives its path free, and can be restored or removed for good", async () => {
    await using scene = await openScene();
    expect((await scene.call("DELETE", "/projects/1")).status).toBe(202);
    const marked = (await scene.call("GET", "/projects/1")).body;
    expect([marked.path_with_namespace, marked.marked_for_deletion_on, marked.archived]).toEqual([
      "acme/shop-deletion_scheduled-1",
      new Date().toISOString().slice(0, 10),
      true,
    ]);
    expect((await scene.git("clone", scene.remote(marked.path_with_namespace), "w")).ok).toBe(true);
    expect((await scene.call("DELETE", "/projects/1")).status).toBe(400);
    const restored = await scene.call("POST", "/projects/1/restore");
    expect([
      restored.status,
      restored.body.path_with_namespace,
      restored.body.marked_for_deletion_on,
    ]).toEqual([201, "acme/shop", null]);
    const forGood = (path: string): Promise<Answer> =>
      scene.call("DELETE", `/projects/1?permanently_remove=true&full_path=${path}`);
    expect(brief(await forGood("acme/shop"))).toEqual([
      400,
      { message: "Project must be marked for deletion first." },
    ]);
    await scene.call("DELETE", "/projects/1");
    expect(brief(await forGood("acme/shop"))).toEqual([
      400,
      { message: "`full_path` is incorrect. You must enter the complete path for the project." },
    ]);
    expect((await forGood("acme/shop-deletion_scheduled-1")).status).toBe(202);
    expect((await scene.call("GET", "/projects/1")).status).toBe(404);
  });

  test("is for Owners, archiving too", async () => {
    await using scene = await openScene();
    const mia = scene.sandbox.state.createUser({ username: "mia" });
    scene.sandbox.state.addMember(scene.project, mia, 40);
    const token = scene.tokenWith({ user: mia });
    const forbidden = [403, { message: "403 Forbidden" }];
    expect(brief(await scene.call("DELETE", "/projects/1", undefined, token))).toEqual(forbidden);
    expect(brief(await scene.call("POST", "/projects/1/archive", {}, token))).toEqual(forbidden);
    expect(brief(await scene.call("PUT", "/projects/1", { visibility: "public" }, token))).toEqual(forbidden);
    expect((await scene.call("POST", "/projects/1/archive", {})).body.archived).toBe(true);
    expect(brief(await scene.call("POST", "/projects/1/archive", {}))).toEqual([
      400,
      { message: "Project is already archived." },
    ]);
    expect((await scene.git("push", scene.remote(), "HEAD:x")).ok).toBe(false);
    expect((await scene.call("POST", "/projects/1/unarchive", {})).body.archived).toBe(false);
  });
});

test("editing: nothing sent, taken names, unknown branches, a switched off repository", async () => {
  await using scene = await openScene();
  await scene.sandbox.state.createProject({ path: "acme/store", owner: scene.ann });
  expect((await scene.call("PUT", "/projects/1", {})).body.error).toMatch(
    /are missing, at least one parameter/,
  );
  expect((await scene.call("PUT", "/projects/1", { path: "store" })).body.message.path).toEqual([
    "has already been taken",
  ]);
  expect((await scene.call("PUT", "/projects/1", { squash_option: "x" })).status).toBe(400);
  expect((await scene.call("PUT", "/projects/1", { default_branch: "nope" })).status).toBe(400);
  const off = await scene.call("PUT", "/projects/1", { repository_access_level: "disabled", topics: "a, b" });
  expect([off.body.repository_access_level, off.body.topics, "default_branch" in off.body]).toEqual([
    "disabled",
    ["a", "b"],
    false,
  ]);
});

test("transfer: to a group of one's own, not to others', not onto a taken path", async () => {
  await using scene = await openScene();
  const { state } = scene.sandbox;
  state.createGroup({ path: "apex", owner: scene.ann });
  state.createGroup({ path: "theirs" });
  const to = (namespace: string | number): Promise<Answer> =>
    scene.call("PUT", "/projects/1/transfer", { namespace });
  expect(brief(await to("theirs"))).toEqual([404, { message: "404 Namespace Not Found" }]);
  expect((await scene.call("PUT", "/projects/1/transfer", {})).body).toEqual({
    error: "namespace is missing",
  });
  expect((await to("apex")).body.path_with_namespace).toBe("apex/shop");
  await state.createProject({ path: "ann/shop", owner: scene.ann });
  expect((await to("ann")).status).toBe(400);
});

test("a fork has the commits, names its source, and takes no name twice", async () => {
  await using scene = await openScene();
  const fork = await scene.call("POST", "/projects/1/fork", {});
  expect([fork.status, fork.body.path_with_namespace, fork.body.import_status]).toEqual([
    201,
    "ann/shop",
    "scheduled",
  ]);
  await scene.sandbox.settled();
  const { body } = await scene.call("GET", `/projects/${fork.body.id}`);
  expect([body.import_status, body.empty_repo, body.forked_from_project.id]).toEqual(["finished", false, 1]);
  expect((await scene.call("GET", "/projects/1")).body.forks_count).toBe(1);
  expect(brief(await scene.call("POST", "/projects/1/fork", {}))).toEqual([
    409,
    { message: ["Path has already been taken", "Name has already been taken"] },
  ]);
});
