import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScene, type Answer, type Scene } from "./scene.suite.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
  scene.sandbox.settings.importSources = ["git"];
});
afterAll(() => scene[Symbol.asyncDispose]());

const brief = (answer: Answer): unknown[] => [answer.status, answer.body];
const UNREACHABLE = { message: "Unable to access repository with the URL and credentials provided" };

describe("import_url", () => {
  const importing = (more: object = {}): Promise<Answer> =>
    scene.call("POST", "/projects", { name: "imported", import_url: scene.remote(), ...more });

  test("clones branches and tags by git, hides the credential, and tells how far it is", async () => {
    scene.sandbox.faults.imports.stepMs = 50;
    const made = await importing({ name: "copy" });
    expect([made.status, made.body.import_status, made.body.import_type, made.body.empty_repo]).toEqual([
      201,
      "scheduled",
      "git",
      true,
    ]);
    expect(made.body.import_url).toBe(`${scene.sandbox.url}/acme/shop.git`);
    await scene.sandbox.settled();
    scene.sandbox.faults.imports.stepMs = 0;
    const after = await scene.call("GET", `/projects/${made.body.id}`);
    expect([after.body.import_status, after.body.empty_repo, after.body.default_branch]).toEqual([
      "finished",
      false,
      "main",
    ]);
    const tree = await scene.call("GET", `/projects/${made.body.id}/repository/tree`);
    expect(tree.body.map((entry: { path: string }) => entry.path)).toEqual(["lib", "index.html"]);
    const status = await scene.call("GET", `/projects/${made.body.id}/import`);
    expect(status.body).toMatchObject({
      import_status: "finished",
      failed_relations: [],
      import_error: null,
    });
  });

  test("that fails half-way says so to Maintainers, with the credential masked", async () => {
    scene.sandbox.faults.imports.failHalfWay = true;
    const made = await importing({ name: "half" });
    await scene.sandbox.settled();
    scene.sandbox.faults.imports.failHalfWay = false;
    const { body } = await scene.call("GET", `/projects/${made.body.id}`);
    expect([body.import_status, body.import_error]).toEqual([
      "failed",
      expect.stringMatching(
        /^Error importing repository http:\/\/\*{5}:\*{5}@.+ into ann\/half - error: RPC failed/,
      ),
    ]);
    expect(JSON.stringify(body)).not.toContain(scene.token);
    const ben = scene.sandbox.state.createUser({ username: "ben" });
    scene.sandbox.state.addMember(scene.sandbox.rows.projects.get(made.body.id)!, ben, 30);
    const told = await scene.call(
      "GET",
      `/projects/${made.body.id}/import`,
      undefined,
      scene.tokenWith({ user: ben }),
    );
    expect(told.body.import_error).toBe("Ask a maintainer to check the import status for more details.");
  });

  test("that cannot be read is a 422 before anything else is looked at", async () => {
    scene.sandbox.settings.importSources = [];
    const missing = await importing({ path: "-x-.git", import_url: `${scene.sandbox.url}/no/where.git` });
    expect(brief(missing)).toEqual([422, UNREACHABLE]);
    expect(brief(await importing({ import_url: `${scene.sandbox.url}/acme/shop.git` }))).toEqual([
      422,
      UNREACHABLE,
    ]);
    expect(brief(await importing({ path: "-x-.git" }))).toEqual([403, { message: "403 Forbidden" }]);
    scene.sandbox.settings.importSources = ["git"];
    expect(Object.keys((await importing({ path: "-x-.git" })).body.message)).toEqual(["path"]);
  });

  test.each([
    ["file:///etc", "file:///etc is not a valid URL"],
    ["ext::sh -c touch% /tmp/x", "ext::sh -c touch% /tmp/x is not a valid URL"],
    ["--upload-pack=x", "--upload-pack=x is not a valid URL"],
    ["http://127.0.0.1:22/x.git", "Only allowed ports are 80, 443, and any over 1024"],
  ])("%s: 422 %s", async (url, message) => {
    expect(brief(await importing({ import_url: url }))).toEqual([422, { message }]);
  });

  test("blocked and unreachable by knob, together with a template, and as a Developer of a group", async () => {
    const { imports } = scene.sandbox.faults;
    imports.blocked = true;
    expect(brief(await importing())).toEqual([
      422,
      { message: "Requests to the local network are not allowed" },
    ]);
    imports.blocked = false;
    imports.unreachable = true;
    expect(brief(await importing())).toEqual([422, UNREACHABLE]);
    imports.unreachable = false;
    expect(brief(await importing({ template_name: "rails" }))).toEqual([
      400,
      { error: "import_url, template_name are mutually exclusive" },
    ]);
    const carl = scene.sandbox.state.createUser({ username: "carl" });
    const group = scene.sandbox.state.createGroup({ path: "acme" });
    scene.sandbox.state.addMember(group, carl, 30);
    const body = { name: "x", import_url: scene.remote(), namespace_id: group.id };
    const answer = await scene.call("POST", "/projects", body, scene.tokenWith({ user: carl }));
    expect(brief(answer)).toEqual([400, { message: { user: ["is not allowed to import projects"] } }]);
  });
});

test("a template fills the repository, whatever sources are on", async () => {
  await using fresh = await openScene();
  const made = await fresh.call("POST", "/projects", { name: "site", template_name: "plainhtml" });
  expect([made.status, made.body.import_status]).toEqual([201, "scheduled"]);
  await fresh.sandbox.settled();
  const file = await fresh.call(
    "GET",
    `/projects/${made.body.id}/repository/files/public%2Findex.html/raw?ref=main`,
  );
  expect([file.status, file.text]).toEqual([200, expect.stringContaining("Hello, world!")]);
  expect((await fresh.call("GET", `/projects/${made.body.id}`)).body.import_status).toBe("finished");
});

test.each([
  ["10.5.0", 201, undefined],
  ["17.1.0", 201, undefined],
  ["18.9.0", 400, { template_name: ["'gatsby' is unknown or invalid"] }],
])("%s: the template gatsby is a %d", async (version, status, message) => {
  await using old = await openScene({ version });
  const answer = await old.call("POST", "/projects", { name: "x", template_name: "gatsby" });
  expect([answer.status, answer.body.message]).toEqual([status, message]);
});

describe("who may create where", () => {
  test.each([
    ["noone", 40, 400],
    ["maintainer", 30, 400],
    ["maintainer", 40, 201],
    ["owner", 40, 400],
    ["developer", 20, 400],
    ["developer", 30, 201],
    ["administrator", 50, 400],
  ] as const)("project_creation_level %s as %d: %d", async (creation, level, status) => {
    await using other = await openScene();
    const group = other.sandbox.state.createGroup({ path: "acme" });
    group.projectCreationLevel = creation;
    const dora = other.sandbox.state.createUser({ username: "dora" });
    other.sandbox.state.addMember(group, dora, level);
    const body = { name: "x", namespace_id: group.id };
    const answer = await other.call("POST", "/projects", body, other.tokenWith({ user: dora }));
    const refused = { namespace: ["is not valid"] };
    expect([answer.status, answer.body.message]).toEqual([status, status === 400 ? refused : undefined]);
  });

  test.each([
    [
      "18.9.0",
      0,
      "You cannot create projects in your personal namespace. Contact your GitLab administrator.",
    ],
    ["18.9.0", 1, "You've reached your limit of 1 projects created. Contact your GitLab administrator."],
    ["13.3.0", 1, "Your project limit is 1 projects! Please contact your administrator to increase it"],
  ])("%s with a limit of %d", async (version, limit, text) => {
    await using other = await openScene({ version });
    const eve = other.sandbox.state.createUser({ username: "eve" });
    const token = other.tokenWith({ user: eve });
    await other.call("POST", "/projects", { name: "first" }, token);
    eve.projectsLimit = limit;
    expect(brief(await other.call("POST", "/projects", { name: "x" }, token))).toEqual([
      403,
      { error: [text] },
    ]);
  });

  test("restricted visibility, and visibility above the group's", async () => {
    await using other = await openScene();
    other.sandbox.settings.restrictedVisibilityLevels = ["public"];
    expect(brief(await other.call("POST", "/projects", { name: "x", visibility: "public" }))).toEqual([
      400,
      { message: { visibility_level: ["public has been restricted by your GitLab administrator"] } },
    ]);
    const { id } = other.sandbox.state.createGroup({ path: "acme" });
    const body = { name: "x", visibility: "internal", namespace_id: id };
    expect((await other.call("POST", "/projects", body)).body.visibility).toBe("private");
    await using old = await openScene({ version: "15.0.0" });
    const group = old.sandbox.state.createGroup({ path: "acme" });
    expect(brief(await old.call("POST", "/projects", { ...body, namespace_id: group.id }))).toEqual([
      400,
      { message: { visibility_level: ["internal is not allowed in a private group."] } },
    ]);
  });
});

describe("names", () => {
  test.each([
    ["10.5.0", { path: ["has already been taken"], name: ["has already been taken"], limit_reached: [] }],
    ["14.5.0", { path: ["has already been taken"], name: ["has already been taken"] }],
    [
      "18.9.0",
      {
        "project_namespace.name": ["has already been taken"],
        name: ["has already been taken"],
        path: ["has already been taken"],
      },
    ],
  ])("%s: taken names", async (version, message) => {
    await using other = await openScene({ version });
    await other.call("POST", "/projects", { name: "Shop", path: "shop" });
    expect(brief(await other.call("POST", "/projects", { name: "Shop", path: "SHOP" }))).toEqual([
      400,
      { message },
    ]);
  });

  test.each([
    "",
    " ",
    "..",
    ".git",
    "a.git",
    "x.atom",
    "_x",
    "tree",
    "a/b",
    "a b",
    "ä",
    "日本",
    "a".repeat(256),
    "%2e%2e",
  ])("path %j is refused by field", async (path) => {
    const answer = await scene.call("POST", "/projects", { name: "good", path });
    expect([answer.status, Object.keys(answer.body.message)]).toEqual([400, ["path"]]);
  });

  test.each(["-x", "a/b", "a\nb", "<b>", "x".repeat(256), "\u0000"])(
    "name %j is refused by field",
    async (name) => {
      const answer = await scene.call("POST", "/projects", { name, path: "good" });
      expect([answer.status, Object.keys(answer.body.message)]).toEqual([400, ["name"]]);
    },
  );

  test.each(["Ünïcode + dash–ok", "🚀 rocket", "日本語", "a.b_c"])("name %j is taken", async (name) => {
    const answer = await scene.call("POST", "/projects", { name, path: `p${name.length}x` });
    expect([answer.status, answer.body.name]).toEqual([201, name]);
  });
});
