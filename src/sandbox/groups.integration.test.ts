import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScene, type Answer, type Scene } from "./scene.suite.ts";

const brief = (answer: Answer): unknown[] => [answer.status, answer.body];
const pathsOf = (answer: Answer): string[] => answer.body.map((row: { full_path: string }) => row.full_path);

describe("groups", () => {
  let scene: Scene;
  let admin: string;
  beforeAll(async () => {
    scene = await openScene();
    const { state } = scene.sandbox;
    admin = scene.tokenWith({ user: state.root });
    state.createGroup({ path: "acme/tools/deep", owner: scene.ann });
    state.createGroup({ path: "open", visibility: "public", name: "Zebra (open)" });
    state.createGroup({ path: "secret" });
    await state.createProject({ path: "acme/tools/cli", owner: scene.ann });
  });
  afterAll(() => scene[Symbol.asyncDispose]());

  test.each([
    ["/groups", ["acme", "acme/tools/deep", "acme/tools"]],
    ["/groups?all_available=true", ["acme", "acme/tools/deep", "acme/tools", "open"]],
    ["/groups?top_level_only=true", ["acme"]],
    ["/groups?search=TOOLS", ["acme/tools/deep", "acme/tools"]],
    ["/groups?order_by=id&sort=desc", ["acme/tools/deep", "acme/tools", "acme"]],
    ["/groups?visibility=public&all_available=true", ["open"]],
    ["/groups?skip_groups[]=3", ["acme/tools/deep", "acme/tools"]],
    ["/groups?owned=true&min_access_level=50", ["acme", "acme/tools/deep", "acme/tools"]],
    ["/groups/acme/subgroups", ["acme/tools"]],
    ["/groups/acme/descendant_groups", ["acme/tools/deep", "acme/tools"]],
    ["/namespaces", ["ann", "acme", "acme/tools", "acme/tools/deep"]],
    ["/namespaces?top_level_only=true", ["ann", "acme"]],
    ["/namespaces?search=deep", ["acme/tools/deep"]],
  ])("GET %s", async (path, expected) => {
    const answer = await scene.call("GET", path);
    expect([answer.status, pathsOf(answer)]).toEqual([200, expected]);
  });

  test.each([
    ["/groups/acme/projects", ["shop"]],
    ["/groups/acme/projects?include_subgroups=true", ["cli", "shop"]],
    ["/groups/acme%2Ftools/projects?archived=true", []],
  ])("GET %s", async (path, expected) => {
    const answer = await scene.call("GET", path);
    expect(answer.body.map((row: { path: string }) => row.path)).toEqual(expected);
  });

  test.each([
    ["GET", "/groups/secret", undefined, 404, { message: "404 Group Not Found" }],
    ["GET", "/groups/acme%2f..%2Fsecret", undefined, 404, { message: "404 Group Not Found" }],
    ["GET", "/namespaces/secret", undefined, 404, { message: "404 Namespace Not Found" }],
    ["GET", "/namespaces/root", undefined, 404, { message: "404 Namespace Not Found" }],
    ["GET", "/groups?visibility=x", undefined, 400, { error: "visibility does not have a valid value" }],
    [
      "GET",
      "/groups?pagination=keyset",
      undefined,
      405,
      { error: expect.stringContaining("Keyset pagination") },
    ],
    ["POST", "/groups", {}, 400, { error: "name is missing, path is missing" }],
    [
      "POST",
      "/groups",
      { name: "x", path: "ACME" },
      400,
      { message: 'Failed to save group {:path=>["has already been taken"]}' },
    ],
    ["POST", "/groups", { name: "x", path: "x", parent_id: 5 }, 404, { message: "404 Group Not Found" }],
    ["PUT", "/groups/open", { name: "y" }, 403, { message: "403 Forbidden" }],
    ["DELETE", "/groups/open", undefined, 403, { message: "403 Forbidden" }],
  ])("%s %s %j: %d", async (method, path, body, status, expected) => {
    const { id } = (await scene.call("GET", "/groups/secret", undefined, admin)).body;
    const given = body && "parent_id" in body ? { ...body, parent_id: id } : body;
    expect(brief(await scene.call(method, path, given))).toEqual([status, expected]);
  });

  test.each(["admin", "api", "-x", "a.git", "a/b", "x.", "ä", "a".repeat(256)])(
    "path %s is no path of a group",
    async (path) => {
      const answer = await scene.call("POST", "/groups", { name: "x", path });
      expect([answer.status, answer.body.message]).toEqual([
        400,
        expect.stringMatching(/^Failed to save group \{:path=>\["/),
      ]);
    },
  );

  test("who may make groups, how visible they may be, and what becomes of deleted ones", async () => {
    const mayNot = scene.sandbox.state.createUser({ username: "settled", canCreateGroup: false });
    const settled = scene.tokenWith({ user: mayNot });
    const refused = await scene.call("POST", "/groups", { name: "x", path: "x" }, settled);
    expect([refused.status, refused.body]).toEqual([403, { message: "403 Forbidden" }]);
    expect((await scene.call("GET", "/user", undefined, settled)).body.can_create_group).toBe(false);
    expect((await scene.call("GET", "/user")).body.can_create_group).toBe(true);
    scene.sandbox.settings.canCreateGroup = false;
    expect((await scene.call("GET", "/user")).body.can_create_group).toBe(false);
    expect((await scene.call("POST", "/groups", { name: "x", path: "x" })).status).toBe(403);
    const { id } = (await scene.call("GET", "/groups/acme")).body;
    const body = { name: "Sub", path: "admin", parent_id: id };
    expect((await scene.call("POST", "/groups", { ...body, visibility: "public" })).body.message).toContain(
      "public is not allowed since the parent group has a private visibility.",
    );
    const made = await scene.call("POST", "/groups", { ...body, project_creation_level: "noone" });
    expect([made.status, made.body.full_path, made.body.full_name, made.body.project_creation_level]).toEqual(
      [201, "acme/admin", "acme / Sub", "noone"],
    );
    scene.sandbox.settings.canCreateGroup = true;
    expect((await scene.call("DELETE", `/groups/${made.body.id}`)).status).toBe(202);
    const day = new Date().toISOString().slice(0, 10);
    expect((await scene.call("GET", "/groups/acme%2Fadmin")).body.marked_for_deletion_on).toBe(day);
    expect((await scene.call("POST", `/groups/${made.body.id}/restore`)).body.marked_for_deletion_on).toBe(
      null,
    );
  });

  test("exists suggests a free path, and asks for a user", async () => {
    expect((await scene.call("GET", "/namespaces/ACME/exists")).body).toEqual({
      exists: true,
      suggests: ["ACME1"],
    });
    expect((await scene.call("GET", "/namespaces/tools/exists")).body).toEqual({
      exists: false,
      suggests: [],
    });
    expect((await scene.call("GET", "/namespaces/acme/exists", undefined, null)).status).toBe(401);
  });

  test("people without an account page through public groups by cursor", async () => {
    scene.sandbox.state.createGroup({ path: "zoo", visibility: "public" });
    const first = await scene.call("GET", "/groups?pagination=keyset&per_page=1", undefined, null);
    const next = /api\/v4(\/groups\?[^>]+)>; rel="next"/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    const second = await scene.call("GET", next, undefined, null);
    expect([pathsOf(first), pathsOf(second)]).toEqual([["open"], ["zoo"]]);
  });
});

describe("members", () => {
  test("are added, edited and removed with GitLab's answers", async () => {
    await using scene = await openScene();
    const { state } = scene.sandbox;
    const [ben, mia] = [state.createUser({ username: "ben" }), state.createUser({ username: "mia" })];
    const path = "/projects/1/members";
    const added = await scene.call("POST", path, {
      user_id: ben.id,
      access_level: 30,
      expires_at: "2999-01-01",
    });
    expect([added.status, added.body]).toEqual([
      201,
      expect.objectContaining({
        id: ben.id,
        access_level: 30,
        expires_at: "2999-01-01",
        membership_state: "active",
        created_by: expect.objectContaining({ username: "ann" }),
      }),
    ]);
    const again = await scene.call("POST", path, { username: "ben", access_level: 30 });
    expect(brief(again)).toEqual([409, { message: "Member already exists" }]);
    expect((await scene.call("PUT", `${path}/${ben.id}`, { access_level: 40 })).body.access_level).toBe(40);
    const asBen = scene.tokenWith({ user: ben });
    expect((await scene.call("POST", path, { user_id: mia.id, access_level: 50 }, asBen)).status).toBe(403);
    const both = { user_id: `${mia.id}`, access_level: 20 };
    expect((await scene.call("POST", path, both, asBen)).status).toBe(201);
    expect((await scene.call("GET", path)).body.map((row: { username: string }) => row.username)).toEqual([
      "ben",
      "mia",
    ]);
    const all = await scene.call("GET", `${path}/all?query=AN`);
    expect(
      all.body.map((row: { username: string; access_level: number }) => [row.username, row.access_level]),
    ).toEqual([["ann", 50]]);
    expect(
      (await scene.call("DELETE", `${path}/${mia.id}`, undefined, scene.tokenWith({ user: mia }))).status,
    ).toBe(204);
    expect(brief(await scene.call("GET", `${path}/${mia.id}`))).toEqual([404, { message: "404 Not found" }]);
  });

  test.each([
    [
      {},
      {
        error: expect.stringContaining(
          "user_id, username are missing, at least one parameter must be provided",
        ),
      },
    ],
    [
      { user_id: 2, username: "ann", access_level: 30 },
      { error: "user_id, username are mutually exclusive" },
    ],
    [{ user_id: 2, access_level: 35 }, { error: "access_level does not have a valid value" }],
    [
      { user_id: 1, access_level: 30, expires_at: "2020-01-01" },
      { message: { expires_at: ["cannot be a date in the past"] } },
    ],
    [
      { user_id: 2, access_level: 10 },
      {
        message: {
          access_level: ["should be greater than or equal to Owner inherited membership from group acme"],
        },
      },
    ],
  ])("%j: 400", async (body, expected) => {
    await using scene = await openScene();
    expect(brief(await scene.call("POST", "/projects/1/members", body))).toEqual([400, expected]);
  });

  test("unknown users, the last owner, an expired membership, and the members of a hidden parent", async () => {
    await using scene = await openScene();
    const { state } = scene.sandbox;
    expect(
      brief(await scene.call("POST", "/groups/acme/members", { user_id: 99, access_level: 30 })),
    ).toEqual([404, { message: "404 User Not Found" }]);
    expect((await scene.call("DELETE", `/groups/acme/members/${scene.ann.id}`)).status).toBe(403);
    const ben = state.createUser({ username: "ben" });
    const token = scene.tokenWith({ user: ben });
    state.addMember(scene.project, ben, 30);
    expect((await scene.call("GET", "/groups/acme", undefined, token)).status).toBe(200);
    expect((await scene.call("GET", "/groups/acme/members", undefined, token)).status).toBe(403);
    scene.project.memberships.set(ben.id, {
      createdAt: state.root.createdAt,
      createdById: null,
      expiresAt: "2020-01-01",
    });
    expect((await scene.call("GET", "/projects/1", undefined, token)).status).toBe(404);
  });

  test("before 16.11 only ids are taken, before 12.4 nobody is looked up through groups", async () => {
    await using scene = await openScene({ version: "12.3.0" });
    const answer = await scene.call("POST", "/projects/1/members", { username: "ann", access_level: 30 });
    expect(brief(answer)).toEqual([400, { error: "user_id is missing" }]);
    expect(brief(await scene.call("GET", "/projects/1/members/all"))).toEqual([
      400,
      { error: "user_id is invalid" },
    ]);
  });
});
