import { readFileSync, existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CODES } from "../faults/codes.ts";
import { classifyAnswer } from "./classify.ts";
import { classifyNetworkError } from "./classify-network.ts";
import type { Answer } from "./answer.ts";

const NOW = 1_800_000_000_000;
const HOOKS = "/projects/:id/hooks";
const KEYS = "/projects/:id/deploy_keys";
const STATUS = "/projects/:id/statuses/:sha";

function answer(status: number, body: unknown, more: Partial<Answer> = {}): Answer {
  return {
    method: "GET",
    pathTemplate: "/projects/:id",
    url: "https://git.acme.lan/api/v4/projects/1",
    status,
    headers: { "content-type": typeof body === "string" ? "text/html" : "application/json" },
    text: typeof body === "string" ? body : JSON.stringify(body),
    complete: true,
    ...more,
  };
}

function classify(status: number, body: unknown, more: Partial<Answer> = {}): string {
  const fault = classifyAnswer(answer(status, body, more), (text) => text, NOW);
  return fault.reason === "" ? fault.code : `${fault.code} ${fault.reason}`;
}

const oauth = (error: string, error_description: string) => ({ error, error_description });
const state = (text: string) => ({ message: `403 Forbidden - ${text}` });

describe("token and account", () => {
  test.each([
    [401, { message: "401 Unauthorized" }, "AUTH_FAILED unknown_token"],
    [
      401,
      oauth("invalid_token", "Token is expired. You can either do re-authorization or token refresh."),
      "AUTH_FAILED expired",
    ],
    [
      401,
      oauth("invalid_token", "Token was revoked. You have to re-authorize from the user."),
      "AUTH_FAILED revoked",
    ],
    [
      401,
      oauth("invalid_token", "Token is an impersonation token but impersonation was disabled."),
      "AUTH_FAILED impersonation_disabled",
    ],
    [401, oauth("dpop_error", "DPoP validation error: DPoP header is missing"), "AUTH_FAILED dpop_required"],
    [
      400,
      { message: "400 Bad request - This endpoint requires token type to be a personal access token" },
      "AUTH_FAILED wrong_kind",
    ],
    [
      403,
      { ...oauth("insufficient_scope", "The request requires higher privileges"), scope: "api read_api" },
      "INSUFFICIENT_SCOPES missing_api",
    ],
    [
      403,
      oauth("insufficient_granular_scope", "Access denied: …"),
      "INSUFFICIENT_SCOPES missing_permissions",
    ],
    [403, state("Your account has been blocked."), "ACCOUNT_UNUSABLE blocked"],
    [403, state("User is blocked"), "ACCOUNT_UNUSABLE blocked"],
    [
      403,
      state("Your account is pending approval from your administrator and hence blocked."),
      "ACCOUNT_UNUSABLE pending_approval",
    ],
    [
      403,
      state("You (@x) must accept the Terms of Service in order to perform this action."),
      "ACCOUNT_UNUSABLE terms",
    ],
    [403, state("Your account has been deactivated by your administrator."), "ACCOUNT_UNUSABLE deactivated"],
    [
      403,
      state("Your primary email address is not confirmed. Please check your inbox"),
      "ACCOUNT_UNUSABLE email_unconfirmed",
    ],
    [
      403,
      state("Your password expired. Please access GitLab from a web browser"),
      "ACCOUNT_UNUSABLE password_expired",
    ],
    [403, { message: "403 Forbidden" }, "INSUFFICIENT_ROLE"],
    [
      403,
      { message: "You cannot perform write operations on a read-only instance" },
      "GITLAB_UNAVAILABLE read_only",
    ],
  ])("%i %j is %s", (status, body, expected) => expect(classify(status, body)).toBe(expected));
});

describe("projects, hooks, keys, statuses", () => {
  const limit = "Maximum number of project hooks (100) exceeded";
  test.each<[string, number, unknown, string]>([
    ["/projects/:id", 404, { message: "404 Project Not Found" }, "PROJECT_NOT_FOUND hidden_or_missing"],
    [
      "/projects/:id",
      405,
      { message: "Non GET methods are not allowed for moved projects" },
      "PROJECT_NOT_FOUND moved",
    ],
    [
      "/projects/:id/repository/branches/:branch",
      404,
      { message: "404 Repository Not Found" },
      "REPOSITORY_DISABLED",
    ],
    ["/projects/:id/repository/branches/:branch", 404, { message: "404 Branch Not Found" }, "NOT_FOUND"],
    ["/projects/:id", 404, { error: "404 Not Found" }, "NOT_GITLAB wrong_path"],
    [
      "/projects/:id",
      404,
      { message: "Not Found", url: "https://gitea.invalid/api/swagger" },
      "NOT_GITLAB wrong_path",
    ],
    ["/projects/:id", 409, { message: "409 Conflict: Resource lock" }, "CONFLICT"],
    [HOOKS, 422, { error: "Invalid url given" }, "HOOK_URL_REFUSED"],
    [
      HOOKS,
      404,
      { message: '404 Project hook {:url=>["is blocked: Requests to localhost are not allowed"]} Not Found' },
      "HOOK_URL_REFUSED",
    ],
    [HOOKS, 422, { error: limit }, "HOOK_LIMIT_REACHED"],
    [HOOKS, 422, { message: { base: [limit] } }, "HOOK_LIMIT_REACHED"],
    [HOOKS, 404, { message: `404 Project hook {:base=>["${limit}"]} Not Found` }, "HOOK_LIMIT_REACHED"],
    [HOOKS, 404, { message: "404 Not found" }, "NOT_FOUND"],
    [HOOKS, 403, { message: "403 Forbidden" }, "INSUFFICIENT_ROLE"],
    [HOOKS, 400, { error: "url is missing" }, "BAD_REQUEST invalid"],
    [
      KEYS,
      400,
      { message: { "deploy_key.fingerprint_sha256": ["has already been taken"] } },
      "DEPLOY_KEY_TAKEN",
    ],
    [
      KEYS,
      400,
      { message: { "deploy_key.key": [], "deploy_key.fingerprint": ["has already been taken"] } },
      "DEPLOY_KEY_TAKEN",
    ],
    [KEYS, 400, { message: { fingerprint_sha256: ["has already been taken"] } }, "DEPLOY_KEY_TAKEN"],
    [
      KEYS,
      400,
      { message: { "deploy_key.key": ["type is forbidden. Must be RSA"] } },
      "DEPLOY_KEY_FORBIDDEN",
    ],
    [KEYS, 400, { message: { "deploy_key.key": ["must be at least 4096 bits"] } }, "DEPLOY_KEY_FORBIDDEN"],
    [KEYS, 400, { message: { "deploy_key.title": ["can't be blank"] } }, "BAD_REQUEST invalid"],
    [STATUS, 400, { message: "Cannot transition status via :run from :running" }, "CONFLICT"],
    [STATUS, 400, { message: { name: ["has already been taken"] } }, "CONFLICT name_taken"],
    [STATUS, 409, { message: "Another update to this commit status is in progress" }, "CONFLICT"],
    [STATUS, 404, { message: "404 References for commit Not Found" }, "GIT_FAILED commit_missing"],
    // The presence of an empty list says nothing (GitLab up to 14.0 sends them).
    [KEYS, 400, { message: { limit_reached: [] } }, "BAD_REQUEST invalid"],
  ])("%s %i %j is %s", (pathTemplate, status, body, expected) => {
    expect(classify(status, body, { pathTemplate })).toBe(expected);
  });

  test("a lock is worth another try, a state that is there already is not", () => {
    const at = (status: number, message: string) =>
      classifyAnswer(answer(status, { message }, { pathTemplate: STATUS }), String, NOW).retryable;
    expect(at(409, "Another update to this commit status is in progress")).toBe(true);
    expect(at(400, "Cannot transition status via :run from :running")).toBe(false);
  });

  test("says which role is asked for", () => {
    const needs = (pathTemplate: string) =>
      classifyAnswer(answer(403, { message: "403 Forbidden" }, { pathTemplate }), String, NOW).evidence[
        "needs"
      ];
    expect([needs(HOOKS), needs(KEYS), needs(STATUS), needs("/user")]).toEqual([
      "Maintainer",
      "Maintainer",
      "Developer",
      undefined,
    ]);
  });
});

describe("what is not GitLab, or GitLab in trouble", () => {
  const html = (title: string) => `<!DOCTYPE html><html><head><title>${title}</title></head></html>`;
  const redirect = (location: string, from = "http://git.acme.lan/api/v4/version") =>
    classify(302, "", { headers: { location }, url: from, pathTemplate: "/version" });

  test.each<[number, unknown, string]>([
    [200, html("Welcome to nginx!"), "NOT_GITLAB html"],
    [404, html("404 Not Found"), "NOT_GITLAB html"],
    [200, html("Sign in · Cloudflare Access"), "NOT_GITLAB sso"],
    [403, html("Forbidden"), "NOT_GITLAB sso"],
    [401, html("401 Authorization Required"), "NOT_GITLAB sso"],
    [407, html("Proxy Authentication Required"), "UNREACHABLE proxy"],
    [502, html("GitLab is not responding (502)"), "GITLAB_UNAVAILABLE bad_gateway"],
    [500, { message: "500 Internal Server Error" }, "GITLAB_UNAVAILABLE error"],
    [503, { message: "Gitaly is busy" }, "GITLAB_UNAVAILABLE error"],
    [429, "Retry later\n", "RATE_LIMITED"],
    [
      429,
      { message: { error: "This endpoint has been requested too many times. Try again later." } },
      "RATE_LIMITED",
    ],
    [404, [1, 2], "NOT_GITLAB wrong_path"],
  ])("%i %j is %s", (status, body, expected) => expect(classify(status, body)).toBe(expected));

  test("maintenance is told by a refused write", () => {
    expect(classify(503, { message: "We are upgrading" }, { method: "POST" })).toBe(
      "GITLAB_UNAVAILABLE maintenance",
    );
  });

  test.each([
    ["https://git.acme.lan/api/v4/version", "REDIRECTED to_https"],
    ["https://git.acme.lan:8443/x", "REDIRECTED to_https"],
    ["https://login.microsoftonline.com/x/oauth2/authorize?client_id=1", "REDIRECTED login"],
    ["/users/sign_in", "REDIRECTED login"],
    ["https://gitlab.acme.lan/api/v4/version", "REDIRECTED other_host"],
    ["", "REDIRECTED other_host"],
    ["http://[bad", "REDIRECTED other_host"],
  ])("a redirect to %s is %s", (location, expected) => expect(redirect(location)).toBe(expected));

  test("a project's old path", () => {
    const headers = { location: "https://git.acme.lan/api/v4/projects/42" };
    expect(classify(301, "This resource has been moved permanently", { headers })).toBe(
      "PROJECT_NOT_FOUND moved",
    );
  });

  test("evidence: GitLab's words and request id, cut and without control characters", () => {
    const headers = { "content-type": "application/json", "x-request-id": "01HZX" };
    const words = `\u001b[31mno${"x".repeat(5000)}`;
    const fault = classifyAnswer(answer(500, { message: words }, { headers }), String, NOW);
    expect(fault.evidence).toMatchObject({
      method: "GET",
      pathTemplate: "/projects/:id",
      status: 500,
      requestId: "01HZX",
      host: "git.acme.lan",
    });
    expect(fault.evidence.words).toMatch(/^\[31mnox+…$/);
    expect(fault.evidence.words?.length).toBeLessThanOrEqual(2049);
    expect(classifyAnswer(answer(200, html("Hi")), String, NOW).evidence.words).toBe("Hi");
    const odd = classifyAnswer(answer(500, {}, { headers: { "x-request-id": "a\nb" } }), String, NOW);
    expect(odd.evidence).not.toHaveProperty("requestId");
  });

  test("when to come back", () => {
    const at = (headers: Record<string, string>) =>
      classifyAnswer(answer(429, "", { headers }), String, NOW).retryAt;
    expect(at({ "retry-after": "30" })).toBe(NOW + 30_000);
    expect(at({ "retry-after": new Date(NOW + 60_000).toUTCString() })).toBe(NOW + 60_000);
    expect(at({ "ratelimit-reset": String(NOW / 1000 + 5) })).toBe(NOW + 5_000);
    expect(at({ "retry-after": "soon" })).toBeNull();
  });
});

describe("network errors", () => {
  const coded = (code: string, more: object = {}) =>
    Object.assign(new Error("Bearer glpat-x"), { code, ...more });
  test.each([
    ["ENOTFOUND", "UNREACHABLE dns"],
    ["ECONNREFUSED", "UNREACHABLE refused"],
    ["UND_ERR_CONNECT_TIMEOUT", "UNREACHABLE timeout"],
    ["ECONNRESET", "UNREACHABLE reset"],
    ["UND_ERR_SOCKET", "UNREACHABLE reset"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "UNREACHABLE reset"],
    ["HPE_INVALID_CONSTANT", "NOT_GITLAB not_json"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "TLS_UNTRUSTED self_signed"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "TLS_UNTRUSTED unknown_ca"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "TLS_UNTRUSTED name_mismatch"],
    ["CERT_HAS_EXPIRED", "TLS_UNTRUSTED expired"],
    ["UND_ERR_CLOSED", "CANCELLED "],
    ["UND_ERR_INVALID_ARG", "INTERNAL "],
  ])("%s is %s, and the library's error does not come along", (code, expected) => {
    for (const thrown of [
      coded(code),
      new TypeError("x", { cause: coded(code) }),
      new AggregateError([coded(code)]),
    ]) {
      const fault = classifyNetworkError(thrown, {});
      expect(`${fault.code} ${fault.reason}`).toBe(expected);
      expect(String(fault.cause) + String(fault.stack)).not.toContain("glpat");
    }
  });
});

describe("who answers in GitLab's place", () => {
  test.each<[number, unknown, Partial<Answer>, string]>([
    [401, { message: "Unauthorized" }, {}, "NOT_GITLAB sso"],
    [403, { message: "Forbidden" }, {}, "NOT_GITLAB sso"],
    [403, {}, {}, "NOT_GITLAB sso"],
    [401, "<title>Log in</title>", {}, "NOT_GITLAB sso"],
    [401, {}, { text: '{"message":"401 Un' }, "NOT_GITLAB not_json"],
    [401, {}, { text: "" }, "NOT_GITLAB not_json"],
    [403, {}, { text: '{"message":"403 For' }, "NOT_GITLAB not_json"],
    [401, "", {}, "NOT_GITLAB sso"],
    [400, "<title>400 No required SSL certificate was sent</title>", {}, "NOT_GITLAB sso"],
    [511, "<title>Hotel</title>", {}, "NOT_GITLAB sso"],
    [522, "<title>522</title>", {}, "GITLAB_UNAVAILABLE bad_gateway"],
    [407, "<title>Proxy</title>", {}, "UNREACHABLE proxy"],
    [503, "<title>ERROR</title>", { headers: { "x-squid-error": "ERR_DNS_FAIL 0" } }, "UNREACHABLE proxy"],
    [
      403,
      { message: "403 Forbidden - This action cannot be performed by internal users" },
      {},
      "AUTH_FAILED wrong_kind",
    ],
    [403, { message: "403 Forbidden" }, {}, "INSUFFICIENT_ROLE"],
  ])("%i %j is %4$s", (status, body, more, expected) => {
    expect(classify(status, body, more)).toBe(expected);
  });
});

describe("a project that is not made", () => {
  const at = (status: number, body: unknown, sent: string[] = ["name"]): string =>
    classify(status, body, { method: "POST", pathTemplate: "/projects", sent });

  test.each([
    [400, { message: { path: ["can contain only letters, digits"] } }, "NAME_INVALID"],
    [400, { message: { name: ["has already been taken"], path: ["has already been taken"] } }, "NAME_TAKEN"],
    [400, { message: { limit_reached: [], path: ["is a reserved name"] } }, "NAME_INVALID"],
    [
      400,
      { error: "name, path are missing, at least one parameter must be provided" },
      "BAD_REQUEST invalid",
    ],
    [403, { message: "403 Forbidden" }, "INSUFFICIENT_ROLE"],
    [403, { error: "insufficient_scope", error_description: "x" }, "INSUFFICIENT_SCOPES missing_api"],
    [400, { message: { base: ["Failed to create repository"], limit_reached: [] } }, "BAD_REQUEST invalid"],
  ])("%i %j is %s", (status, body, expected) => {
    expect(at(status, body)).toBe(expected);
  });

  test("a bare 403 means the import source only where something was to be imported", () => {
    expect(at(403, { message: "403 Forbidden" }, ["name", "import_url"])).toBe("IMPORT_DISABLED");
    expect(at(403, { message: "403 Forbidden - Your account has been blocked." }, ["import_url"])).toBe(
      "ACCOUNT_UNUSABLE blocked",
    );
  });
});

const facts = new URL("../../../shared/gitlab/status-facts.json", import.meta.url).pathname;
if (!existsSync(facts)) console.warn(`skipped: GitLab's own status facts are not at ${facts}`);

describe.skipIf(!existsSync(facts))("what GitLab's own request specs promise", () => {
  test("every refusal there is classified as a known code", () => {
    const { facts: list } = JSON.parse(readFileSync(facts, "utf8")) as { facts: Record<string, unknown>[] };
    let seen = 0;
    for (const fact of list) {
      const status = Number(fact["status"]);
      if (!(status >= 400)) continue;
      seen++;
      const message = typeof fact["message"] === "string" ? fact["message"] : "";
      const fault = classifyAnswer(answer(status, { message }), String, NOW);
      expect(Object.hasOwn(CODES, fault.code)).toBe(true);
      expect(fault.code).not.toBe("INTERNAL");
    }
    expect(seen).toBeGreaterThan(100);
  });
});
