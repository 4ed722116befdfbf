import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { replaceKnobs } from "./control/set-knobs.ts";
import { openScene, type Answer, type Scene } from "./scene.suite.ts";
import type { GranularScope } from "./state.ts";

let scene: Scene;
let admin: string;
beforeAll(async () => {
  scene = await openScene({ version: "19.2.0" });
  admin = scene.tokenWith({ user: scene.sandbox.state.root });
});
afterAll(() => scene[Symbol.asyncDispose]());
beforeEach(() => {
  replaceKnobs(scene.sandbox, {});
  scene.sandbox.rows.requestCounts.clear();
});

const both = ({ status, body }: Answer): unknown => [status, body];
const UNAUTHORIZED = [401, { message: "401 Unauthorized" }];
const FORBIDDEN = [403, { message: "403 Forbidden" }];

interface Asked {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

async function ask(path: string, init: RequestInit = {}): Promise<Asked> {
  const response = await fetch(`${scene.sandbox.url}/api/${path}`, { redirect: "manual", ...init });
  const text = await response.text();
  const isJson = response.headers.get("content-type") === "application/json";
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

describe("sudo", () => {
  const sudo = (who: string, token: string): Promise<Asked> =>
    ask("v4/user", { headers: { "PRIVATE-TOKEN": token, Sudo: who } });

  test("first an administrator, then the scope, then the user", async () => {
    const { root } = scene.sandbox.state;
    const plain = await sudo("root", scene.tokenWith({ scopes: ["api", "sudo"] }));
    expect([plain.status, plain.body]).toEqual([
      403,
      { message: "403 Forbidden - Must be admin to use sudo" },
    ]);
    const unscoped = await sudo("nobody", admin);
    expect([unscoped.status, unscoped.body]).toMatchObject([
      403,
      { error: "insufficient_scope", scope: "sudo" },
    ]);
    const token = scene.tokenWith({ user: root, scopes: ["sudo", "api"] });
    const unknown = await sudo("nobody", token);
    expect([unknown.status, unknown.body]).toEqual([
      404,
      { message: "404 User with ID or username 'nobody' Not Found" },
    ]);
    for (const who of ["ann", "ANN", String(scene.ann.id)]) {
      expect((await sudo(who, token)).body).toMatchObject({ username: "ann" });
    }
    expect((await ask("v4/user?sudo=ann", { headers: { "PRIVATE-TOKEN": token } })).body).toMatchObject({
      username: "ann",
    });
    expect(await ask("v4/user", { headers: { Sudo: "ann" } })).toMatchObject({ status: 401 });
  });
});

describe("what the instance demands", () => {
  test("in admin mode only tokens with its scope administrate", async () => {
    const strong = scene.tokenWith({ user: scene.sandbox.state.root, scopes: ["api", "admin_mode"] });
    const settings = (token: string): Promise<Answer> =>
      scene.call("GET", "/application/settings", undefined, token);
    expect((await settings(admin)).status).toBe(200);
    scene.sandbox.settings.adminMode = true;
    expect(both(await settings(admin))).toEqual(FORBIDDEN);
    expect((await scene.call("GET", "/projects/1", undefined, admin)).body).toEqual({
      message: "404 Project Not Found",
    });
    expect((await settings(strong)).status).toBe(200);
  });

  test("disabled tokens are unknown tokens, for git as well", async () => {
    scene.sandbox.settings.personalAccessTokensDisabled = true;
    const answer = await scene.call("GET", "/user");
    expect([both(answer), answer.headers.get("www-authenticate")]).toEqual([UNAUTHORIZED, null]);
    expect((await scene.git("ls-remote", scene.remote())).ok).toBe(false);
  });

  test("impersonation that is switched off says so, with a challenge", async () => {
    const posing = scene.tokenWith({ kind: "impersonation" });
    expect((await scene.call("GET", "/user", undefined, posing)).status).toBe(200);
    scene.sandbox.settings.impersonationEnabled = false;
    const answer = await scene.call("GET", "/user", undefined, posing);
    expect(both(answer)).toEqual([
      401,
      {
        error: "invalid_token",
        error_description: "Token is an impersonation token but impersonation was disabled.",
      },
    ]);
    expect(answer.headers.get("www-authenticate")).toContain('error="invalid_token"');
  });

  test("DPoP: a bare token does not do, and its challenge has a realm only", async () => {
    const dora = scene.sandbox.state.createUser({ username: "dora", dpopRequired: true });
    const answer = await scene.call("GET", "/user", undefined, scene.tokenWith({ user: dora }));
    expect(both(answer)).toEqual([
      401,
      { error: "dpop_error", error_description: "DPoP validation error: DPoP header is missing" },
    ]);
    expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="Protected by OAuth 2.0"');
  });

  test("one address too many is a bare 403; who has no token does not meet it", async () => {
    scene.sandbox.faults.uniqueIpLimit = true;
    expect(both(await scene.call("GET", "/user"))).toEqual(FORBIDDEN);
    expect((await scene.call("GET", "/projects", undefined, null)).status).toBe(200);
  });

  test("a group's address list hides it and what is below; its Owner still sees the group", async () => {
    const group = [...scene.sandbox.rows.groups.values()].find(({ fullPath }) => fullPath === "acme");
    const guest = scene.sandbox.state.createUser({ username: "guest" });
    if (group) scene.sandbox.state.addMember(group, guest, 30);
    const token = scene.tokenWith({ user: guest });
    expect((await scene.call("GET", "/groups/acme", undefined, token)).status).toBe(200);
    scene.sandbox.faults.ipRestrictedGroups = [group?.id ?? 0];
    expect(both(await scene.call("GET", "/projects/1"))).toEqual([404, { message: "404 Project Not Found" }]);
    expect(both(await scene.call("GET", "/groups/acme", undefined, token))).toEqual([
      404,
      { message: "404 Group Not Found" },
    ]);
    expect((await scene.call("GET", "/groups/acme")).status).toBe(200);
    expect((await scene.call("GET", "/projects?membership=true")).body).toEqual([]);
  });
});

describe("fine-grained tokens", () => {
  const granular = (...scopes: Partial<GranularScope>[]): string =>
    scene.tokenWith({
      granularScopes: scopes.map((scope) => ({
        access: "selected_memberships",
        projectId: null,
        groupId: null,
        permissions: [],
        ...scope,
      })),
    });
  const hooks = (token: string, method = "GET", body?: unknown): Promise<Answer> =>
    scene.call(method, "/projects/1/hooks", body, token);

  test("open what they name, where they name it", async () => {
    const permissions = ["read_webhook"];
    const group = [...scene.sandbox.rows.groups.values()][0];
    for (const token of [
      granular({ projectId: 1, permissions }),
      granular({ groupId: group?.id ?? 0, permissions }),
      granular({ access: "all_memberships", permissions }),
    ]) {
      expect((await hooks(token)).status).toBe(200);
      expect((await hooks(token, "POST", {})).body).toEqual({
        error: "insufficient_granular_scope",
        error_description:
          'Access denied: Your Personal Access Token lacks the required permissions: [create_webhook] for "acme/shop".',
      });
    }
    for (const token of [
      granular({ projectId: 2, permissions }),
      granular({ groupId: 999, permissions }),
      granular({ access: "personal_projects", permissions }),
      granular({ access: "user", permissions }),
    ]) {
      const answer = await hooks(token);
      expect([answer.status, answer.body.error]).toEqual([403, "insufficient_granular_scope"]);
    }
  });

  test("tell their scopes about themselves, if they may read that", async () => {
    const permissions = ["read_personal_access_token"];
    const token = granular({ access: "user", permissions }, { projectId: 1, permissions: ["read_project"] });
    const { body } = await scene.call("GET", "/personal_access_tokens/self", undefined, token);
    expect(body).toMatchObject({
      scopes: ["granular"],
      granular_scopes: [
        { access: "user", permissions, project_id: null, group_id: null },
        { access: "selected_memberships", permissions: ["read_project"], project_id: 1, group_id: null },
      ],
    });
    expect(both(await scene.call("GET", "/personal_access_tokens/self", undefined, granular()))).toEqual([
      403,
      {
        error: "insufficient_granular_scope",
        error_description:
          "Access denied: Your Personal Access Token lacks the required permissions: [read_personal_access_token].",
      },
    ]);
  });

  test("rotation keeps them fine-grained", async () => {
    const token = granular({ access: "user", permissions: ["rotate_personal_access_token", "read_user"] });
    const { body } = await scene.call("POST", "/personal_access_tokens/self/rotate", {}, token);
    expect(body.scopes).toEqual(["granular"]);
    expect((await scene.call("GET", "/user", undefined, body.token)).status).toBe(200);
  });

  test("an object that is not there leaves the boundary unknown", async () => {
    const token = granular({ access: "all_memberships", permissions: ["read_project"] });
    expect(both(await scene.call("GET", "/projects/999", undefined, token))).toEqual([
      403,
      {
        error: "insufficient_granular_scope",
        error_description: "Unable to determine boundaries for authorization",
      },
    ]);
  });
});

describe("limits", () => {
  test("Rack::Attack answers in plain text before anything else, per user", async () => {
    scene.sandbox.faults.rackAttack = { requests: 2, periodSeconds: 3600 };
    const statuses = [];
    for (let n = 0; n < 3; n++) statuses.push((await scene.call("POST", "/projects", {})).status);
    expect(statuses).toEqual([400, 400, 429]);
    const { status, headers, text } = await scene.call("GET", "/nowhere");
    expect([status, text, headers.get("content-type")]).toEqual([429, "Retry later\n", "text/plain"]);
    expect(headers.get("ratelimit-name")).toBe("throttle_authenticated_api");
    expect([headers.get("ratelimit-limit"), headers.get("ratelimit-observed")]).toEqual(["1", "4"]);
    expect(headers.get("ratelimit-remaining")).toBe("0");
    const reset = Number(headers.get("ratelimit-reset")) * 1000;
    expect(new Date(reset).toUTCString()).toBe(headers.get("ratelimit-resettime"));
    expect(Number(headers.get("retry-after"))).toBeLessThanOrEqual(3600);
    const stranger = await scene.call("GET", "/user", undefined, "glpat-nobodys");
    expect([stranger.status, stranger.headers.get("ratelimit-name")]).toEqual([
      401,
      "throttle_unauthenticated_api",
    ]);
  });

  test("the application's limiter answers in JSON after the parameters", async () => {
    scene.sandbox.faults.applicationLimits = { projects_api: 1 };
    expect((await scene.call("GET", "/projects?visibility=odd")).status).toBe(400);
    expect((await scene.call("GET", "/projects")).status).toBe(200);
    const answer = await scene.call("GET", "/projects");
    expect(both(answer)).toEqual([
      429,
      { message: { error: "This endpoint has been requested too many times. Try again later." } },
    ]);
    expect(answer.headers.has("retry-after")).toBe(true);
    expect((await scene.call("GET", "/projects", undefined, admin)).status).toBe(200);
    expect((await scene.call("GET", "/projects/1")).status).toBe(200);
  });

  test("headers by version", async () => {
    await using old = await openScene({ version: "13.6.0" });
    old.sandbox.faults.rackAttack = { requests: 1, periodSeconds: 60 };
    old.sandbox.faults.applicationLimits = { projects_api: 0 };
    const limited = await old.call("GET", "/projects");
    expect([limited.status, limited.headers.has("retry-after")]).toEqual([429, false]);
    const attacked = await old.call("GET", "/projects");
    expect([
      attacked.text,
      attacked.headers.has("retry-after"),
      attacked.headers.has("ratelimit-name"),
    ]).toEqual(["Retry later\n", false, false]);
  });
});

describe("what every request meets", () => {
  test("API v3 is gone since 11.0; an Accept that cannot be met is 406", async () => {
    expect(await ask("v3/projects")).toMatchObject({
      status: 410,
      body: { error: "API V3 is no longer supported. Use API V4 instead." },
    });
    await using old = await openScene({ version: "10.5.0" });
    expect((await fetch(`${old.sandbox.url}/api/v3/projects`)).status).toBe(404);
    const accept = (type: string): Promise<Asked> => ask("v4/projects", { headers: { Accept: type } });
    expect((await accept("image/png")).status).toBe(406);
    for (const type of ["*/*", "application/json", "text/html, */*;q=0.1", "text/plain"]) {
      expect((await accept(type)).status).toBe(200);
    }
  });

  test("parameters come as JSON, as a form, nested, or as curl sends them with --form", async () => {
    const send = async (body: FormData | URLSearchParams): Promise<Asked> =>
      ask("v4/projects/1/hooks", { method: "POST", headers: { "PRIVATE-TOKEN": scene.token }, body });
    const form = new FormData();
    form.set("url", "http://127.0.0.1:9/a");
    form.set("push_events", "false");
    expect(await send(form)).toMatchObject({ status: 201, body: { push_events: false } });
    const nested = new URLSearchParams({ url: "http://127.0.0.1:9/b" });
    nested.append("custom_headers[][key]", "X-A");
    nested.append("custom_headers[][value]", "1");
    expect(await send(nested)).toMatchObject({ status: 201, body: { custom_headers: [{ key: "X-A" }] } });
  });

  test("what changed since the client looked is not deleted", async () => {
    const { body } = await scene.call("POST", "/projects/1/hooks", { url: "http://127.0.0.1:9/c" });
    const remove = (since: string): Promise<Asked> =>
      ask(`v4/projects/1/hooks/${body.id}`, {
        method: "DELETE",
        headers: { "PRIVATE-TOKEN": scene.token, "If-Unmodified-Since": since },
      });
    expect(await remove("Fri, 01 Jan 2010 00:00:00 GMT")).toMatchObject({
      status: 412,
      body: { message: "412 Precondition Failed" },
    });
    expect((await remove("no date")).status).toBe(204);
  });

  test("browsers may ask from anywhere, and see only some headers", async () => {
    const preflight = await ask("v4/user", {
      method: "OPTIONS",
      headers: { Origin: "https://a.example", "Access-Control-Request-Method": "PUT" },
    });
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([200, "*"]);
    const answer = await ask("v4/user", { headers: { Origin: "https://a.example" } });
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([401, "*"]);
    const exposed = answer.headers.get("access-control-expose-headers")?.toLowerCase() ?? "";
    expect([exposed.includes("x-next-page"), exposed.includes("retry-after")]).toEqual([true, false]);
  });

  test("HEAD reads with read_api since 13.9", async () => {
    const statusIn = async (version: string): Promise<number> => {
      await using old = await openScene({ version });
      const headers = { "PRIVATE-TOKEN": old.tokenWith({ scopes: ["read_api"] }) };
      return (await fetch(`${old.sandbox.url}/api/v4/projects`, { method: "HEAD", headers })).status;
    };
    expect([await statusIn("13.8.0"), await statusIn("13.9.0")]).toEqual([403, 200]);
  });
});

describe("application settings", () => {
  const change = (body: unknown, token = admin): Promise<Answer> =>
    scene.call("PUT", "/application/settings", body, token);

  test("are the administrators', scope first", async () => {
    const weak = scene.tokenWith({ scopes: ["read_user"] });
    expect((await scene.call("GET", "/application/settings", undefined, weak)).body.error).toBe(
      "insufficient_scope",
    );
    expect(both(await scene.call("GET", "/application/settings"))).toEqual(FORBIDDEN);
    expect(both(await change({}, scene.token))).toEqual(FORBIDDEN);
  });

  test("what is changed works at once", async () => {
    const { body } = await change({ silent_mode_enabled: true, default_projects_limit: "5" });
    expect(body).toMatchObject({ silent_mode_enabled: true, default_projects_limit: 5 });
    expect(scene.sandbox.settings.silentMode).toBe(true);
    expect((await scene.call("GET", "/application/settings", undefined, admin)).body).toEqual(body);
  });

  test("what GitLab would refuse is refused", async () => {
    expect(both(await change({ signup_enabled: "maybe" }))).toEqual([
      400,
      { error: "signup_enabled is invalid" },
    ]);
    expect(both(await change({ default_group_visibility: "secret" }))).toEqual([
      400,
      { error: "default_group_visibility does not have a valid value" },
    ]);
    expect(both(await change({ plantuml_enabled: true }))).toEqual([
      400,
      { error: "plantuml_url is missing" },
    ]);
    const legacy = await change({ allow_local_requests_from_hooks_and_services: false });
    expect([legacy.status, scene.sandbox.settings.allowLocalRequests]).toEqual([200, false]);
    const nothing = await change({ unknown: 1 });
    expect([nothing.status, nothing.body.error]).toEqual([
      400,
      expect.stringMatching(/are missing, at least one parameter must be provided$/),
    ]);
  });

  test("have the names of the version", async () => {
    await using old = await openScene({ version: "11.0.0" });
    const { body } = await old.call(
      "GET",
      "/application/settings",
      undefined,
      old.tokenWith({ user: old.sandbox.state.root }),
    );
    expect(body).toMatchObject({ allow_local_requests_from_hooks_and_services: true });
    expect(Object.keys(body)).not.toContain("allow_local_requests_from_web_hooks_and_services");
  });
});

describe("users", () => {
  test("are listed for those who have a token; others must know a name", async () => {
    expect(both(await scene.call("GET", "/users", undefined, null))).toEqual([
      403,
      { message: "403 Forbidden - Not authorized to access /api/v4/users" },
    ]);
    const named = await scene.call("GET", "/users?username=ANN", undefined, null);
    expect(named.body).toMatchObject([{ username: "ann", state: "active" }]);
    expect(Object.keys(named.body[0])).not.toContain("email");
    expect((await scene.call("GET", "/users?username=ann", undefined, admin)).body[0].email).toBe(
      "ann@example.com",
    );
    expect((await scene.call("GET", `/users/${scene.ann.id}`)).body.username).toBe("ann");
    expect(both(await scene.call("GET", "/users/999"))).toEqual([404, { message: "404 User Not Found" }]);
  });
});

test.each([
  ["12.7.0", ["version", "revision"], 404, []],
  ["15.2.0", ["version", "revision"], 200, ["version", "revision", "kas"]],
  ["15.5.0", ["version", "revision", "kas"], 200, ["version", "revision", "kas"]],
  [
    "18.9.0-ee",
    ["version", "revision", "kas", "enterprise"],
    200,
    ["version", "revision", "kas", "enterprise"],
  ],
])("GitLab %s about its version", async (version, fields, status, metadata) => {
  await using old = await openScene({ version });
  expect(Object.keys((await old.call("GET", "/version")).body)).toEqual(fields);
  const answer = await old.call("GET", "/metadata");
  expect([answer.status, answer.status === 200 ? Object.keys(answer.body) : []]).toEqual([status, metadata]);
});
