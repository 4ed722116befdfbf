import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScene, type Scene } from "./scene.suite.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene[Symbol.asyncDispose]());

const EXPIRED = "Token is expired. You can either do re-authorization or token refresh.";
const REVOKED = "Token was revoked. You have to re-authorize from the user.";

describe("the order of checks of POST /projects with an empty body", () => {
  const probe = (token: string | null) => scene.call("POST", "/projects", {}, token);

  test("no token and a wrong one: 401 without challenge", async () => {
    for (const token of [null, "glpat-wrong"]) {
      const answer = await probe(token);
      expect([answer.status, answer.body]).toEqual([401, { message: "401 Unauthorized" }]);
      expect(answer.headers.get("www-authenticate")).toBeNull();
    }
  });

  test("expired comes before revoked, and both say so in the challenge", async () => {
    const both = await probe(scene.tokenWith({ expiresAt: "2020-01-01", revoked: true }));
    expect([both.status, both.body]).toEqual([401, { error: "invalid_token", error_description: EXPIRED }]);
    const revoked = await probe(scene.tokenWith({ revoked: true }));
    expect(revoked.body).toEqual({ error: "invalid_token", error_description: REVOKED });
    expect(revoked.headers.get("www-authenticate")).toContain('error="invalid_token"');
  });

  test("a token dies at 00:00 UTC of its day", async () => {
    const today = new Date().toISOString().slice(0, 10);
    expect((await probe(scene.tokenWith({ expiresAt: today }))).body.error).toBe("invalid_token");
  });

  test("the state of the user comes before scopes", async () => {
    const blocked = scene.sandbox.state.createUser({ username: "blocked", condition: "blocked" });
    const answer = await probe(scene.tokenWith({ user: blocked, scopes: ["read_user"] }));
    expect([answer.status, answer.body]).toEqual([
      403,
      { message: "403 Forbidden - Your account has been blocked." },
    ]);
  });

  test("scopes come before parameters, and the scope field lists what is registered", async () => {
    const answer = await probe(scene.tokenWith({ scopes: ["read_api"] }));
    expect(answer.status).toBe(403);
    expect(answer.body).toEqual({
      error: "insufficient_scope",
      error_description: "The request requires higher privileges than provided by the access token.",
      scope: "ai_workflows api read_api",
    });
    expect(answer.headers.get("www-authenticate")).toBeNull();
  });

  test("with api only the parameters are missing, and nothing is made", async () => {
    const before = scene.sandbox.rows.projects.size;
    const answer = await probe(scene.token);
    expect([answer.status, answer.body]).toEqual([
      400,
      { error: "name, path are missing, at least one parameter must be provided" },
    ]);
    expect(scene.sandbox.rows.projects.size).toBe(before);
  });
});

test.each([
  [["read_user"], "/user", 200],
  [["read_user"], "/version", 200],
  [["read_user"], "/projects", 403],
  [["read_api"], "/projects", 200],
  [["read_repository"], "/user", 403],
  [["read_repository"], "/personal_access_tokens/self", 200],
  [["read_repository"], "/projects/1/repository/files/index.html?ref=main", 200],
  [["read_repository"], "/projects/1/repository/tree", 403],
  [["read_repository"], "/projects/1/repository/branches", 403],
  [["write_repository"], "/projects/1", 403],
])("a token with %j on GET %s: %d", async (scopes, path, status) => {
  expect((await scene.call("GET", path, undefined, scene.tokenWith({ scopes }))).status).toBe(status);
});

test("a token is taken from its header, from Bearer and from a parameter, but not from Basic", async () => {
  const ask = async (path: string, headers: Record<string, string>) =>
    (await fetch(`${scene.sandbox.url}/api/v4${path}`, { headers })).status;
  expect(await ask("/user", { "PRIVATE-TOKEN": scene.token })).toBe(200);
  expect(await ask("/user", { Authorization: `Bearer ${scene.token}` })).toBe(200);
  expect(await ask(`/user?private_token=${scene.token}`, {})).toBe(200);
  expect(await ask("/user", { Authorization: `Basic ${btoa(`x:${scene.token}`)}` })).toBe(401);
  expect(await ask("/projects", { "PRIVATE-TOKEN": "wrong" })).toBe(401);
  expect(await ask("/projects", {})).toBe(200);
});

describe("envelopes and headers", () => {
  test("every API answer says that GitLab gave it", async () => {
    for (const path of ["/user", "/nowhere", "/projects/999"]) {
      const { headers } = await scene.call("GET", path);
      const meta = JSON.parse(headers.get("x-gitlab-meta") ?? "{}");
      expect(meta).toEqual({ correlation_id: headers.get("x-request-id"), version: "1" });
      expect(headers.get("x-runtime")).toMatch(/^\d+\.\d+$/);
      expect(headers.get("content-type")).toBe("application/json");
    }
  });

  test.each([
    ["GET", "/nowhere", 404, { error: "404 Not Found" }],
    ["DELETE", "/version", 404, { error: "404 Not Found" }],
    ["GET", "/projects/acme/shop", 404, { error: "404 Not Found" }],
    ["GET", "/projects/999", 404, { message: "404 Project Not Found" }],
    ["GET", "/projects/shop", 404, { message: "404 Project Not Found" }],
    ["GET", "/projects/1/hooks/999", 404, { message: "404 Not found" }],
    ["GET", "/projects/1/hooks/x", 400, { error: "hook_id is invalid" }],
    ["GET", "/projects/1/repository/branches/none", 404, { message: "404 Branch Not Found" }],
    ["GET", "/projects/1/repository/branches/a..b", 400, { message: "The branch refname is invalid" }],
    ["GET", "/projects/1/repository/branches?regex=(", 400, { message: "Regex is invalid" }],
    ["GET", "/projects/1/repository/commits/none", 404, { message: "404 Commit Not Found" }],
    ["GET", "/projects/1/repository/tree?ref=none", 404, { message: "404 Tree Not Found" }],
    [
      "GET",
      "/projects/1/repository/tree?path=none",
      404,
      { message: "404 invalid revision or path Not Found" },
    ],
    ["GET", "/projects/1/repository/files/none?ref=main", 404, { message: "404 File Not Found" }],
    ["GET", "/projects/1/repository/files/lib?ref=main", 404, { message: "404 File Not Found" }],
    ["GET", "/projects/1/repository/files/index.html?ref=none", 404, { message: "404 Commit Not Found" }],
    ["GET", "/projects/1/repository/files/index.html", 400, { error: "ref is missing" }],
    ["GET", "/projects/1/repository/compare?from=main&to=none", 404, { message: "404 Ref Not Found" }],
    ["GET", "/projects/1/deploy_keys/9", 404, { message: "404 Not found" }],
    ["DELETE", "/projects/1/deploy_keys/9", 404, { message: "404 Deploy key Not Found" }],
  ])("%s %s: %d %j", async (method, path, status, body) => {
    const answer = await scene.call(method, path);
    expect([answer.status, answer.body]).toEqual([status, body]);
  });

  test("projects are found by id and by encoded path, whatever its case", async () => {
    for (const id of ["1", "acme%2Fshop", "ACME%2fShop"]) {
      expect((await scene.call("GET", `/projects/${id}`)).body.id).toBe(1);
    }
  });

  test("a malformed body is a 400 even before the token is looked at, another type a 415", async () => {
    const malformed = await scene.call("POST", "/projects", "{nonsense", null);
    expect([malformed.status, Object.keys(malformed.body)]).toEqual([400, ["error"]]);
    const response = await fetch(`${scene.sandbox.url}/api/v4/projects`, {
      method: "POST",
      headers: { "Content-Type": "text/csv" },
      body: "a,b",
    });
    expect(response.status).toBe(415);
  });

  test("a body beyond the limit is refused and the server lives on", async () => {
    const big = JSON.stringify({ name: "x".repeat(17 * 1024 * 1024) });
    const outcome = await scene.call("POST", "/projects", big).then(
      (answer) => answer.status,
      () => "cut",
    );
    expect([413, "cut"]).toContain(outcome);
    expect((await scene.call("GET", "/user")).status).toBe(200);
  });

  test("foreign private projects do not exist, roles too low are forbidden", async () => {
    const bob = scene.sandbox.state.createUser({ username: "bob" });
    const token = scene.tokenWith({ user: bob });
    expect((await scene.call("GET", "/projects/1", undefined, token)).body).toEqual({
      message: "404 Project Not Found",
    });
    scene.sandbox.state.addMember(scene.project, bob, 30);
    expect((await scene.call("GET", "/projects/1", undefined, token)).status).toBe(200);
    for (const path of ["/projects/1/hooks", "/projects/1/deploy_keys"]) {
      for (const method of ["GET", "POST"]) {
        const answer = await scene.call(method, path, method === "POST" ? {} : undefined, token);
        expect([answer.status, answer.body]).toEqual([403, { message: "403 Forbidden" }]);
      }
    }
    scene.sandbox.state.addMember(scene.project, bob, 0);
  });
});

test.each([
  ["13.5.0", 404, { error: "404 Not Found" }],
  ["15.0.5", 404, { error: "404 Not Found" }],
  ["15.1.0", 401, { message: "401 Unauthorized" }],
  ["15.4.9", 401, { message: "401 Unauthorized" }],
])("GitLab %s answers `self` of a good token with %d", async (version, status, body) => {
  await using old = await openScene({ version });
  const answer = await old.call("GET", "/personal_access_tokens/self");
  expect([answer.status, answer.body]).toEqual([status, body]);
  expect((await old.call("GET", "/user")).status).toBe(200);
});

test("lists come in pages with GitLab's headers", async () => {
  const owner = scene.sandbox.state.createUser({ username: "lister" });
  const token = scene.tokenWith({ user: owner });
  for (let n = 1; n <= 45; n++) await scene.sandbox.state.createProject({ path: `many/p${n}`, owner });
  const page = await scene.call(
    "GET",
    "/projects?membership=true&order_by=id&sort=asc&per_page=20&page=2",
    undefined,
    token,
  );
  const header = (name: string) => page.headers.get(name);
  expect(page.body.map((project: { path: string }) => project.path)[0]).toBe("p21");
  expect(
    ["x-page", "x-per-page", "x-next-page", "x-prev-page", "x-total", "x-total-pages"].map(header),
  ).toEqual(["2", "20", "3", "1", "45", "3"]);
  expect(header("link")).toMatch(
    /page=1[^>]*>; rel="prev", .*page=3[^>]*>; rel="next", .*rel="first", .*rel="last"/,
  );
  const last = await scene.call("GET", "/projects?membership=true&per_page=20&page=3", undefined, token);
  expect([last.body.length, last.headers.get("x-next-page")]).toEqual([5, ""]);
  const capped = await scene.call("GET", "/projects?membership=true&per_page=9999", undefined, token);
  expect(capped.headers.get("x-per-page")).toBe("100");
});
