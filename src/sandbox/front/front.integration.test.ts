import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { changeKnobs, replaceKnobs } from "../control/set-knobs.ts";
import { openScene, type Scene } from "../scene.suite.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene[Symbol.asyncDispose]());
beforeEach(() => replaceKnobs(scene.sandbox, {}));

function front(knobs: Record<string, unknown>): void {
  changeKnobs(scene.sandbox, { faults: { front: knobs } });
}

async function ms(work: () => PromiseLike<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

const HTML = "text/html";
const JSON_TYPE = "application/json";

describe("what stands in front of GitLab", () => {
  test.each([
    ["bad_gateway", 502, HTML, null, "GitLab is not responding"],
    ["bad_gateway_plain", 502, "text/plain", null, "502 Bad Gateway"],
    ["internal_error", 500, JSON_TYPE, "rails", '{"message":"500 Internal Server Error"}'],
    ["rate_limited_application", 429, JSON_TYPE, "rails", "requested too many times"],
    ["rate_limited_rack_attack", 429, "text/plain", "rails", "Retry later\n"],
    ["forbidden_network", 403, JSON_TYPE, "rails", '{"message":"403 Forbidden"}'],
    ["ldap_unreachable", 403, JSON_TYPE, "rails", "403 Forbidden - Your account has been blocked."],
    ["redirect_to_https", 301, HTML, null, "301"],
    ["redirect_to_host", 301, HTML, null, "301"],
    ["redirect_to_login", 302, HTML, null, "302"],
    ["sso_page", 200, HTML, null, "Sign in with your company account"],
    ["sso_redirect", 302, HTML, null, "302"],
    ["proxy_login", 401, HTML, null, "401 Authorization Required"],
    ["waf_page", 403, HTML, null, "Your support ID is"],
    ["deploy_page", 200, HTML, null, "Deploy in progress"],
    ["other_application", 404, HTML, null, "404 Not Found"],
  ])("%s: %d %s", async (answer, status, type, rails, words) => {
    front({ answer });
    const got = await scene.call("GET", "/user");
    expect([got.status, got.headers.get("content-type")]).toEqual([status, type]);
    expect(got.text).toContain(words);
    expect(got.headers.has("x-gitlab-meta")).toBe(rails !== null);
    expect(got.headers.has("x-request-id")).toBe(rails !== null);
  });

  test("where the redirects lead", async () => {
    const to = async (answer: string, redirectTo: string | null = null): Promise<string | null> => {
      front({ answer, redirectTo });
      return (await scene.call("GET", "/user?a=1")).headers.get("location");
    };
    const { url } = scene.sandbox;
    expect(await to("redirect_to_https")).toBe("https://127.0.0.1/api/v4/user?a=1");
    expect(await to("redirect_to_https", "https://git.acme.lan:8443")).toBe(
      "https://git.acme.lan:8443/api/v4/user?a=1",
    );
    expect(await to("redirect_to_host")).toBe("http://gitlab.example.com/api/v4/user?a=1");
    expect(await to("redirect_to_login")).toBe(`${url}/users/sign_in`);
    expect(await to("sso_redirect")).toMatch(
      /^https:\/\/login\.example\.com\/oauth2\/authorize\?redirect_uri=/,
    );
    front({ answer: "none" });
    const login = await fetch(`${url}/users/sign_in`);
    expect([login.status, login.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  });

  test("the headers of both limits are those of the version", async () => {
    const limited = async (
      version: string,
      answer: "rate_limited_application" | "rate_limited_rack_attack",
    ) => {
      await using other = await openScene({ version });
      changeKnobs(other.sandbox, { faults: { front: { answer, retryAfterSeconds: 7 } } });
      const { headers } = await other.call("GET", "/user");
      return [headers.get("retry-after"), headers.get("ratelimit-remaining")];
    };
    expect(await limited("13.6.0", "rate_limited_rack_attack")).toEqual([null, null]);
    expect(await limited("13.7.0", "rate_limited_rack_attack")).toEqual(["7", null]);
    expect(await limited("13.8.0", "rate_limited_rack_attack")).toEqual(["7", "0"]);
    expect(await limited("18.4.0", "rate_limited_application")).toEqual([null, null]);
    expect(await limited("18.5.0", "rate_limited_application")).toEqual(["7", null]);
  });

  test("only some paths and methods, after some requests, for some times", async () => {
    front({ answer: "bad_gateway", path: "/api/*/user", methods: ["GET"], after: 1, times: 2 });
    const statuses = [];
    for (let n = 0; n < 5; n++) statuses.push((await scene.call("GET", "/user")).status);
    expect(statuses).toEqual([200, 502, 502, 200, 200]);
    expect(scene.sandbox.faults.front).toMatchObject({ after: 0, times: 0 });
    front({ times: null });
    expect((await scene.call("GET", "/version")).status).toBe(200);
    expect((await scene.call("POST", "/user")).status).toBe(404);
    expect((await scene.call("GET", "/user")).status).toBe(502);
  });

  test("git meets it too", async () => {
    front({ answer: "bad_gateway" });
    const outcome = await scene.git("ls-remote", scene.remote());
    expect([outcome.ok, outcome.output.includes("502")]).toEqual([false, true]);
  });
});

describe("connections go wrong", () => {
  test("a reset is a reset", async () => {
    front({ answer: "reset" });
    const error: unknown = await scene.call("GET", "/user").catch((caught: unknown) => caught);
    expect(error).toMatchObject({ cause: { code: "ECONNRESET" } });
  });

  test("no answer ever, and the sandbox still ends", async () => {
    const other = await openScene();
    changeKnobs(other.sandbox, { faults: { front: { answer: "hang" } } });
    const hanging = fetch(`${other.sandbox.url}/api/v4/user`, { signal: AbortSignal.timeout(300) });
    await expect(hanging).rejects.toMatchObject({ name: "TimeoutError" });
    const waiting = other.call("GET", "/user").catch((error: unknown) => error);
    expect(await ms(() => other[Symbol.asyncDispose]())).toBeLessThan(3000);
    expect(await waiting).toMatchObject({ message: "fetch failed" });
  });

  test("bodies: truncated, invalid, empty, slow", async () => {
    const url = `${scene.sandbox.url}/api/v4/user`;
    const headers = { "PRIVATE-TOKEN": scene.token };
    const whole = await (await fetch(url, { headers })).text();
    front({ body: "truncated" });
    const cut = await fetch(url, { headers });
    expect([cut.status, cut.headers.get("content-length")]).toEqual([200, String(whole.length)]);
    await expect(cut.text()).rejects.toThrow("terminated");
    front({ body: "invalid_json" });
    const invalid = await fetch(url, { headers });
    expect(invalid.headers.get("content-type")).toBe(JSON_TYPE);
    expect(await invalid.text()).toBe(whole.slice(0, Math.ceil(whole.length / 2)));
    front({ body: "empty" });
    const empty = await fetch(url, { headers });
    expect([empty.status, await empty.text()]).toEqual([200, ""]);
    front({ body: "whole", bytesPerSecond: whole.length * 2 });
    let text = "";
    expect(await ms(async () => (text = await (await fetch(url, { headers })).text()))).toBeGreaterThan(400);
    expect(text).toBe(whole);
  });

  test("latency, fixed and by path", async () => {
    changeKnobs(scene.sandbox, {
      faults: { latencyMs: 100, latencyByPath: { "/api/*/user": 150, "/api/*/version": 9 } },
    });
    expect(await ms(() => scene.call("GET", "/user"))).toBeGreaterThanOrEqual(245);
    expect(await ms(() => scene.call("GET", "/projects/1"))).toBeGreaterThanOrEqual(95);
  });
});

describe("proxies, modes, clocks and addresses", () => {
  test("a proxy that decodes %2F leaves numeric ids", async () => {
    changeKnobs(scene.sandbox, { faults: { decodesSlashes: true } });
    const byPath = await scene.call("GET", "/projects/acme%2Fshop");
    expect([byPath.status, byPath.body]).toEqual([404, { error: "404 Not Found" }]);
    expect((await scene.call("GET", "/projects/1")).status).toBe(200);
  });

  test("a proxy that drops the token's header", async () => {
    changeKnobs(scene.sandbox, { faults: { dropsHeaders: ["private-token"] } });
    const got = await scene.call("GET", "/user");
    expect([got.status, got.body, got.headers.has("x-gitlab-meta")]).toEqual([
      401,
      { message: "401 Unauthorized" },
      true,
    ]);
    const bearer = await fetch(`${scene.sandbox.url}/api/v4/user`, {
      headers: { Authorization: `Bearer ${scene.token}` },
    });
    expect(bearer.status).toBe(200);
  });

  test("a read-only instance refuses writes in two ways and answers reads", async () => {
    changeKnobs(scene.sandbox, { faults: { readOnly: true } });
    const json = await scene.call("POST", "/projects", { name: "x" });
    expect([json.status, json.body]).toEqual([
      403,
      { message: "You cannot perform write operations on a read-only instance" },
    ]);
    const options = { method: "DELETE", redirect: "manual", headers: { Referer: "http://x/from" } } as const;
    const bare = await fetch(`${scene.sandbox.url}/api/v4/projects/1`, options);
    expect([bare.status, bare.headers.get("location"), await bare.text()]).toEqual([
      301,
      "http://x/from",
      "",
    ]);
    expect((await scene.call("GET", "/user")).status).toBe(200);
  });

  test("its clock may be wrong: Date, dates and expiry", async () => {
    const token = scene.tokenWith({
      expiresAt: new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10),
    });
    changeKnobs(scene.sandbox, { faults: { clockSkewSeconds: 86_400 * 5 } });
    const got = await scene.call("GET", "/user", undefined, token);
    expect(got.body).toMatchObject({ error: "invalid_token" });
    const ahead = Date.parse(got.headers.get("date") ?? "") - Date.now();
    expect(Math.round(ahead / 86_400_000)).toBe(5);
  });

  test("another external_url is in Link and in addresses", async () => {
    changeKnobs(scene.sandbox, { settings: { externalUrl: "https://git.acme.lan/code" } });
    const list = await scene.call("GET", "/projects?per_page=1");
    expect(list.headers.get("link")).toMatch(/^<https:\/\/git\.acme\.lan\/code\/api\/v4\/projects\?/);
    expect(list.body[0].web_url).toBe("https://git.acme.lan/code/acme/shop");
  });
});
