import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScene, type Answer, type Scene } from "./scene.suite.ts";

let scene: Scene;
let admin: string;
beforeAll(async () => {
  scene = await openScene();
  admin = scene.tokenWith({ user: scene.sandbox.state.root });
});
afterAll(() => scene[Symbol.asyncDispose]());

const REVOKED = "Token was revoked. You have to re-authorize from the user.";
const both = ({ status, body }: Answer): unknown => [status, body];
const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

describe("a token about itself", () => {
  test("every scope may ask; the body has 18.9's fields in 18.9's order", async () => {
    const token = scene.tokenWith({
      scopes: ["read_repository"],
      name: "ro",
      description: "why",
      expiresAt: null,
    });
    const { status, body } = await scene.call("GET", "/personal_access_tokens/self", undefined, token);
    expect([status, Object.keys(body)]).toEqual([
      200,
      [
        "id",
        "name",
        "revoked",
        "created_at",
        "description",
        "scopes",
        "user_id",
        "last_used_at",
        "active",
        "expires_at",
        "last_used_ips",
      ],
    ]);
    expect(body).toMatchObject({
      name: "ro",
      description: "why",
      scopes: ["read_repository"],
      user_id: scene.ann.id,
      active: true,
      revoked: false,
      expires_at: null,
      last_used_ips: ["127.0.0.1"],
    });
  });

  test("an OAuth token is refused; it works as Bearer and nowhere else", async () => {
    const value = scene.tokenWith({ kind: "oauth", scopes: ["api"] });
    const ask = async (path: string, headers: Record<string, string>): Promise<unknown> => {
      const response = await fetch(`${scene.sandbox.url}/api/v4${path}`, { headers });
      return [response.status, await response.json()];
    };
    const bearer = { Authorization: `Bearer ${value}` };
    expect(await ask("/personal_access_tokens/self", bearer)).toEqual([
      400,
      {
        message: "400 Bad request - This endpoint requires token type to be a personal access token",
      },
    ]);
    expect(await ask("/user", { "PRIVATE-TOKEN": value })).toEqual([401, { message: "401 Unauthorized" }]);
    expect(await ask("/user", { ...bearer, "PRIVATE-TOKEN": "wrong" })).toMatchObject([
      200,
      { username: "ann" },
    ]);
    const twice = await ask(`/user?access_token=${value}`, bearer);
    expect(twice).toMatchObject([400, { error: "invalid_request" }]);
    const rotated = await fetch(`${scene.sandbox.url}/api/v4/personal_access_tokens/self/rotate`, {
      method: "POST",
      headers: bearer,
    });
    expect([rotated.status, await rotated.json()]).toEqual([405, { message: "405 Method Not Allowed" }]);
  });

  test("it ends itself with 204, and is dead", async () => {
    const token = scene.tokenWith({ scopes: ["read_user"] });
    const gone = await scene.call("DELETE", "/personal_access_tokens/self", undefined, token);
    expect([gone.status, gone.text]).toEqual([204, ""]);
    expect((await scene.call("GET", "/user", undefined, token)).body.error_description).toBe(REVOKED);
  });

  test("what it reaches: groups and projects with levels", async () => {
    const { body, headers } = await scene.call("GET", "/personal_access_tokens/self/associations");
    expect(body.groups).toMatchObject([{ name: "acme", access_levels: 50, visibility: "private" }]);
    expect(body.projects).toMatchObject([
      {
        path_with_namespace: "acme/shop",
        access_levels: { project_access_level: null, group_access_level: 50 },
        namespace: { kind: "group", full_path: "acme" },
      },
    ]);
    expect(headers.get("x-total")).toBe("1");
    expect(
      both(await scene.call("GET", "/personal_access_tokens/self/associations?min_access_level=35")),
    ).toEqual([400, { error: "min_access_level does not have a valid value" }]);
  });
});

describe("rotation", () => {
  const rotate = (token: string, body: unknown = {}, path = "self"): Promise<Answer> =>
    scene.call("POST", `/personal_access_tokens/${path}/rotate`, body, token);

  test("gives 200 with the new value, and the old one is dead at once", async () => {
    const old = scene.tokenWith({ name: "ci", scopes: ["api", "read_user"], description: "d" });
    const fresh = await rotate(old, { expires_at: inDays(30) });
    expect([fresh.status, fresh.body]).toMatchObject([
      200,
      { name: "ci", scopes: ["api", "read_user"], description: "d", expires_at: inDays(30), active: true },
    ]);
    expect(fresh.body.token).toMatch(/^glpat-/);
    expect((await scene.call("GET", "/user", undefined, fresh.body.token)).status).toBe(200);
    expect((await scene.call("GET", "/user", undefined, old)).body.error_description).toBe(REVOKED);
  });

  test("without a day the new one lives a week", async () => {
    expect((await rotate(scene.tokenWith({}))).body.expires_at).toBe(inDays(7));
  });

  test("a second call with the old token ends the new one, too", async () => {
    const old = scene.tokenWith({});
    const fresh = (await rotate(old)).body.token;
    const newer = (await rotate(fresh)).body.token;
    expect(both(await rotate(old))).toEqual([401, { error: "invalid_token", error_description: REVOKED }]);
    expect((await scene.call("GET", "/user", undefined, newer)).status).toBe(401);
  });

  test("another use of the old token leaves the family alone", async () => {
    const old = scene.tokenWith({});
    const fresh = (await rotate(old)).body.token;
    await scene.call("GET", "/user", undefined, old);
    expect((await scene.call("GET", "/user", undefined, fresh)).status).toBe(200);
  });

  test("needs api or self_rotate, and a day within the year", async () => {
    const none = await rotate(scene.tokenWith({ scopes: ["read_api"] }));
    expect([none.status, none.body.scope]).toEqual([403, "self_rotate api read_api"]);
    const { body } = await rotate(scene.tokenWith({ scopes: ["self_rotate"] }));
    expect(body.scopes).toEqual(["self_rotate"]);
    const token = scene.tokenWith({});
    expect(both(await rotate(token, { expires_at: inDays(400) }))).toEqual([
      400,
      { message: `400 Bad request - Expires at must be before ${inDays(365)}` },
    ]);
    expect(both(await rotate(token, { expires_at: "soon" }))).toEqual([
      400,
      { error: "expires_at is invalid" },
    ]);
    expect((await scene.call("GET", "/user", undefined, token)).status).toBe(200);
  });

  test("by id: own ones; foreign and unknown ones are 401, for administrators 404", async () => {
    const foreign = scene.sandbox.state.createToken({ user: scene.sandbox.state.root });
    const own = scene.sandbox.state.createToken({ user: scene.ann });
    expect((await rotate(scene.token, {}, String(own.id))).status).toBe(200);
    expect(both(await rotate(scene.token, {}, String(own.id)))).toEqual([
      400,
      { message: "400 Bad request - Token already revoked" },
    ]);
    for (const id of [foreign.id, 9999]) {
      expect(both(await rotate(scene.token, {}, String(id)))).toEqual([401, { message: "401 Unauthorized" }]);
    }
    expect(both(await rotate(admin, {}, "9999"))).toEqual([404, { message: "404 Not Found" }]);
  });
});

describe("lists and single tokens", () => {
  test("own ones only, without impersonation; administrators see all and may ask for a user", async () => {
    const ben = scene.sandbox.state.createUser({ username: "ben" });
    const token = scene.tokenWith({ user: ben, name: "first" });
    scene.tokenWith({ user: ben, name: "old", revoked: true });
    scene.tokenWith({ user: ben, name: "posing", kind: "impersonation" });
    const names = async (query: string, as = token): Promise<string[]> =>
      (await scene.call("GET", `/personal_access_tokens?${query}`, undefined, as)).body.map(
        ({ name }: { name: string }) => name,
      );
    expect(await names("")).toEqual(["first", "old"]);
    expect(await names("state=active")).toEqual(["first"]);
    expect(await names("revoked=true")).toEqual(["old"]);
    expect(await names("search=FIR")).toEqual(["first"]);
    expect(await names("sort=name_desc")).toEqual(["old", "first"]);
    expect(await names("created_before=2020-01-01")).toEqual([]);
    expect(await names(`user_id=${ben.id}`, admin)).toEqual(["first", "old", "posing"]);
    const list = (query: string, as = token): Promise<Answer> =>
      scene.call("GET", `/personal_access_tokens?${query}`, undefined, as);
    expect(both(await list("user_id=1"))).toEqual([401, { message: "401 Unauthorized" }]);
    expect(both(await list("user_id=999", admin))).toEqual([404, { message: "404 Not Found" }]);
    expect(both(await list("user_id=", admin))).toEqual([404, { message: "404 Not Found" }]);
    expect(both(await list("state=dead"))).toEqual([400, { error: "state does not have a valid value" }]);
    expect(both(await list("created_after=x"))).toEqual([400, { error: "created_after is invalid" }]);
  });

  test("one by id, and its end", async () => {
    const own = scene.sandbox.state.createToken({ user: scene.ann });
    const posing = scene.sandbox.state.createToken({ user: scene.ann, kind: "impersonation" });
    const path = (id: number): string => `/personal_access_tokens/${id}`;
    expect((await scene.call("GET", path(own.id))).body).toMatchObject({ id: own.id, active: true });
    const weak = scene.tokenWith({ scopes: ["read_repository"] });
    expect((await scene.call("GET", path(own.id), undefined, weak)).body.error).toBe("insufficient_scope");
    expect(both(await scene.call("DELETE", path(posing.id)))).toEqual([
      400,
      { message: "400 Bad request - Not permitted to revoke" },
    ]);
    expect(both(await scene.call("DELETE", path(9999)))).toEqual([404, { message: "404 Not found" }]);
    expect((await scene.call("DELETE", path(own.id))).status).toBe(204);
    expect((await scene.call("GET", path(own.id))).body).toMatchObject({ active: false, revoked: true });
    expect((await scene.call("DELETE", path(posing.id), undefined, admin)).status).toBe(204);
  });
});

describe("making tokens", () => {
  const make = (body: unknown, token = admin, id: number | string = scene.ann.id): Promise<Answer> =>
    scene.call("POST", `/users/${id}/personal_access_tokens`, body, token);

  test("for a user: administrators only, before any parameter", async () => {
    expect(both(await make({}, scene.token))).toEqual([403, { message: "403 Forbidden" }]);
    expect(both(await make({}))).toEqual([400, { error: "name is missing, scopes is missing" }]);
    const good = { name: "n", scopes: ["api"] };
    expect(both(await make({ ...good, scopes: ["root"] }))).toEqual([
      400,
      { error: "scopes does not have a valid value" },
    ]);
    expect(both(await make(good, admin, 999))).toEqual([404, { message: "404 User Not Found" }]);
    expect(both(await make({ ...good, expires_at: inDays(366) }))).toEqual([
      422,
      { message: `Expires at must be before ${inDays(365)}` },
    ]);
    const { status, body } = await make(good);
    expect([status, body.expires_at, body.user_id]).toEqual([201, inDays(365), scene.ann.id]);
    expect((await scene.call("GET", "/user", undefined, body.token)).body.username).toBe("ann");
  });

  test("for oneself: only what does no harm", async () => {
    const own = (body: unknown): Promise<Answer> => scene.call("POST", "/user/personal_access_tokens", body);
    expect(both(await own({ name: "n", scopes: ["api"] }))).toEqual([
      400,
      { error: "scopes does not have a valid value" },
    ]);
    expect(both(await own({ name: "n", scopes: [] }))).toEqual([422, { message: "Scopes can't be blank" }]);
    const past = await own({ name: "n", scopes: ["k8s_proxy"], expires_at: "2020-01-01" });
    expect([past.status, past.body.active]).toEqual([201, false]);
  });
});

describe.each([
  ["project", "/projects/1/access_tokens", /^project_1_bot_[0-9a-f]{32}$/],
  ["group", "/groups/acme/access_tokens", /^group_\d+_bot_[0-9a-f]{32}$/],
])("%s access tokens", (type, path, botName) => {
  const good = { name: "robot", scopes: ["api"], access_level: 30 };

  test("are made with a bot that has the level, listed, rotated and revoked", async () => {
    const made = await scene.call("POST", path, good);
    expect([made.status, made.body]).toMatchObject([
      201,
      { name: "robot", access_level: 30, resource_type: type, expires_at: inDays(365) },
    ]);
    const me = await scene.call("GET", "/user", undefined, made.body.token);
    expect(me.body).toMatchObject({ bot: true, name: "robot", id: made.body.user_id });
    expect(me.body.username).toMatch(botName);
    const self = await scene.call("GET", "/personal_access_tokens/self", undefined, made.body.token);
    expect([self.status, self.body.user_id]).toEqual([200, made.body.user_id]);
    expect((await scene.call("GET", "/projects/1", undefined, made.body.token)).status).toBe(200);
    expect((await scene.call("GET", "/projects/1/hooks", undefined, made.body.token)).status).toBe(403);
    const listed = await scene.call("GET", path);
    expect(listed.body).toHaveLength(1);
    expect(Object.keys(listed.body[0])).not.toContain("token");
    const one = `${path}/${made.body.id}`;
    expect((await scene.call("GET", one)).body).toEqual(listed.body[0]);
    const fresh = await scene.call("POST", `${one}/rotate`, {});
    expect([fresh.status, fresh.body]).toMatchObject([200, { access_level: 30, expires_at: inDays(7) }]);
    const own = await scene.call("POST", `${path}/self/rotate`, {}, fresh.body.token);
    expect([own.status, own.body.user_id]).toEqual([200, made.body.user_id]);
    expect((await scene.call("DELETE", `${path}/${own.body.id}`)).status).toBe(204);
    expect((await scene.call("GET", "/user", undefined, own.body.token)).status).toBe(401);
    expect(both(await scene.call("GET", `${path}/999`))).toEqual([
      404,
      { message: `404 Could not find ${type} access token with token_id: 999 Not Found` },
    ]);
  });

  test("are refused to those who may not, in GitLab's words", async () => {
    const developer = scene.sandbox.state.createUser({ username: `dev-${type}` });
    scene.sandbox.state.addMember(scene.project, developer, 30);
    const group = scene.sandbox.rows.groups.values().next().value;
    if (group) scene.sandbox.state.addMember(group, developer, 30);
    const token = scene.tokenWith({ user: developer });
    for (const [method, url] of [
      ["GET", path],
      ["GET", `${path}/1`],
      ["POST", `${path}/1/rotate`],
    ] as const) {
      const answer = await scene.call(method, url, method === "POST" ? {} : undefined, token);
      expect(both(answer)).toEqual([401, { message: "401 Unauthorized" }]);
    }
    expect(both(await scene.call("POST", path, good, token))).toEqual([
      400,
      { message: `400 Bad request - User does not have permission to create ${type} access token` },
    ]);
    const robot = await scene.call("POST", path, { ...good, access_level: 40 });
    expect(both(await scene.call("POST", path, good, robot.body.token))).toEqual([
      400,
      { message: `400 Bad request - User does not have permission to create ${type} access token` },
    ]);
    expect(both(await scene.call("POST", path, { name: "x" }))).toEqual([
      400,
      { error: "scopes is missing" },
    ]);
    for (const [change, error] of [
      [{ scopes: ["sudo"] }, "scopes does not have a valid value"],
      [{ access_level: 35 }, "access_level does not have a valid value"],
      [{ access_level: "x" }, "access_level is invalid"],
    ] as const) {
      expect(both(await scene.call("POST", path, { ...good, ...change }))).toEqual([400, { error }]);
    }
    expect((await scene.call("GET", path.replace(/1|acme/, "404"))).status).toBe(404);
    await scene.call("DELETE", `${path}/${robot.body.id}`);
    scene.sandbox.state.addMember(scene.project, developer, 0);
  });
});

test("a Maintainer cannot make an Owner of a bot, nor rotate one", async () => {
  const maintainer = scene.sandbox.state.createUser({ username: "mona" });
  scene.sandbox.state.addMember(scene.project, maintainer, 40);
  const token = scene.tokenWith({ user: maintainer });
  const path = "/projects/1/access_tokens";
  const owner = await scene.call("POST", path, { name: "o", scopes: ["api"], access_level: 50 });
  const answer = await scene.call("POST", path, { name: "o", scopes: ["api"], access_level: 50 }, token);
  expect(answer.body).toEqual({
    message: "400 Bad request - Access level of the token contains permissions not held by the creating user",
  });
  expect(both(await scene.call("POST", `${path}/${owner.body.id}/rotate`, {}, token))).toEqual([
    400,
    {
      message: "400 Bad request - Not eligible to rotate tokens with permissions not held by the user",
    },
  ]);
});

test.each([
  ["13.5.0", "/personal_access_tokens", 404],
  ["13.6.0", "/personal_access_tokens", 200],
  ["13.8.0", "/projects/1/access_tokens", 404],
  ["13.9.0", "/projects/1/access_tokens", 200],
  ["14.6.0", "/groups/acme/access_tokens", 404],
  ["14.7.0", "/groups/acme/access_tokens", 200],
  ["15.4.0", "/personal_access_tokens?state=dead", 200],
  ["15.5.0", "/personal_access_tokens?state=dead", 400],
  ["17.3.0", "/personal_access_tokens/self/associations", 404],
  ["17.4.0", "/personal_access_tokens/self/associations", 200],
])("GitLab %s on GET %s: %d", async (version, path, status) => {
  await using old = await openScene({ version });
  expect((await old.call("GET", path)).status).toBe(status);
});

test.each([
  ["14.10.0", 404, 404, 404],
  ["15.0.0", 204, 404, 404],
  ["15.9.0", 204, 404, 404],
  ["16.0.0", 204, 200, 404],
  ["16.8.0", 204, 200, 404],
  ["16.9.0", 204, 200, 200],
])("GitLab %s: DELETE self %d, rotate by id %d, self/rotate %d", async (version, end, byId, self) => {
  await using old = await openScene({ version });
  const spare = old.sandbox.state.createToken({ user: old.ann });
  const own = await old.call("POST", `/personal_access_tokens/${spare.id}/rotate`, {});
  expect(own.status).toBe(byId);
  const selves = await old.call("POST", "/personal_access_tokens/self/rotate", {}, old.tokenWith({}));
  // Before 16.9 the word ends up as an id of 16.0's route, and there is no such token
  expect(selves.status).toBe(self === 404 && byId === 200 ? 401 : self);
  expect(
    (await old.call("DELETE", "/personal_access_tokens/self", undefined, old.tokenWith({}))).status,
  ).toBe(end);
});

test("15.0 to 15.3 ask for api before a token ends itself; the prefix came with 14.5", async () => {
  await using old = await openScene({ version: "15.3.0" });
  const weak = old.tokenWith({ scopes: ["read_user"] });
  const answer = await old.call("DELETE", "/personal_access_tokens/self", undefined, weak);
  expect([answer.status, answer.body.scope]).toEqual([403, "api read_api"]);
  expect(old.token).toMatch(/^glpat-/);
  await using older = await openScene({ version: "14.4.0" });
  expect(older.token).toMatch(/^[A-Za-z0-9_-]{20}$/);
});

test("expiry may be left out where the instance allows it", async () => {
  scene.sandbox.settings.requireTokenExpiry = false;
  const { body } = await scene.call("POST", "/personal_access_tokens/self/rotate", {}, scene.tokenWith({}));
  expect(body.expires_at).toBeNull();
  scene.sandbox.settings.requireTokenExpiry = true;
});
