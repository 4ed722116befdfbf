import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import {
  startAnswering,
  tlsFixture,
  type AnsweringServer,
  type Reply,
} from "../../test/support/answering-server.ts";
import { gitlab, routeless, TOKEN, tooSmall } from "../../test/support/gitlab-scene.ts";
import { Secret } from "../kernel/secret.ts";
import { checkConnection } from "./check.ts";

const clock = { now: () => Date.UTC(2026, 10, 23) };

const run = (server: AnsweringServer, more: { url?: string; token?: string; ca?: string } = {}) =>
  checkConnection({
    url: more.url ?? server.url,
    token: new Secret(more.token ?? TOKEN),
    network: { ca: more.ca },
    clock,
  });

const states = (checks: readonly { id: string; state: string }[]): Record<string, string> =>
  Object.fromEntries(checks.map(({ id, state }) => [id, state]));

describe("the first broken layer", () => {
  async function broken(server: AnsweringServer, more: Parameters<typeof run>[1] = {}) {
    const { diagnosis, found } = await run(server, more);
    expect(found).toBeNull();
    expect(diagnosis.ok).toBe(false);
    const failed = diagnosis.checks.filter(({ state }) => state === "fail");
    expect(failed).toHaveLength(1);
    const after = diagnosis.checks.slice(diagnosis.checks.findIndex(({ state }) => state === "fail") + 1);
    expect(after.filter(({ state, title }) => state !== "skip" || !title.endsWith("not reached"))).toEqual(
      [],
    );
    expect(diagnosis.error?.cause).not.toBe("");
    expect(diagnosis.error?.fix.length).toBeGreaterThan(0);
    expect(inspect(diagnosis, { depth: Infinity })).not.toContain(more.token ?? TOKEN);
    return {
      diagnosis,
      check: failed[0]?.id,
      error: `${diagnosis.error?.code} ${diagnosis.error?.reason}`.trim(),
    };
  }

  test.each<[string, Reply, string]>([
    ["a web page", { body: "<!doctype html><title>Welcome to nginx!</title>" }, "NOT_GITLAB html"],
    ["a page not found", { status: 404, body: "<title>404</title>" }, "NOT_GITLAB html"],
    ["another API", { status: 404, body: { message: "Not Found" } }, "NOT_GITLAB wrong_path"],
    ["another API's refusal", { status: 401, body: { message: "Bad credentials" } }, "NOT_GITLAB not_json"],
    ["another API's success", { body: { hello: "world" } }, "NOT_GITLAB not_json"],
    ["text", { body: "hello", headers: { "content-type": "text/plain" } }, "NOT_GITLAB not_json"],
    ["a sign-in page", { body: "<title>Sign in to Acme SSO</title>" }, "NOT_GITLAB sso"],
    [
      "nginx' own password",
      { status: 401, body: "<title>401 Authorization Required</title>" },
      "NOT_GITLAB sso",
    ],
    ["nothing sensible", { status: 200, body: { version: 7 } }, "NOT_GITLAB not_json"],
    [
      "GitLab starting",
      { status: 502, body: "<title>GitLab is not responding</title>" },
      "GITLAB_UNAVAILABLE bad_gateway",
    ],
  ])("%s: %s never sees the token", async (_, reply, error) => {
    await using server = await startAnswering(() => reply);
    expect(await broken(server)).toMatchObject({ check: "gitlab.is", error });
    expect(server.asked.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });

  test("a redirect is told, not followed", async () => {
    const location = "https://git.acme.invalid/api/v4/version";
    await using server = await startAnswering(() => ({ status: 301, headers: { location } }));
    const { diagnosis, ...rest } = await broken(server);
    expect(rest).toEqual({ check: "http.redirect", error: "REDIRECTED other_host" });
    expect(diagnosis.error?.fix.join()).toContain("https://git.acme.invalid");
  });

  test("a wrong token", async () => {
    await using server = await startAnswering(gitlab());
    const { diagnosis, ...rest } = await broken(server, { token: "glpat-wrongwrongwrongwrong" });
    expect(rest).toEqual({ check: "token.alive", error: "AUTH_FAILED unknown_token" });
    expect(diagnosis.error).toMatchObject({
      title: "GitLab does not know this token",
      evidence: { status: 401, words: "401 Unauthorized" },
    });
    expect(diagnosis.error?.fix.join()).toContain(
      `${server.url}/-/profile/personal_access_tokens?name=Fairlead&scopes=api`,
    );
    expect(diagnosis.token).toBeNull();
  });

  test("a wrong token on 15.1 to 15.4 too", async () => {
    await using server = await startAnswering(gitlab({ version: "15.2.0" }));
    expect(await broken(server, { token: "glpat-wrongwrongwrongwrong" })).toMatchObject({
      error: "AUTH_FAILED unknown_token",
    });
  });

  test.each([
    ["Token is expired. You can either do re-authorization or token refresh.", "expired"],
    ["Token was revoked. You have to re-authorize from the user.", "revoked"],
  ])("%s", async (words, reason) => {
    const dead: Reply = { status: 401, body: { error: "invalid_token", error_description: words } };
    const over = { "GET /version": dead, "GET /personal_access_tokens/self": dead, "GET /user": dead };
    await using server = await startAnswering(gitlab({ over }));
    expect(await broken(server)).toMatchObject({ check: "token.alive", error: `AUTH_FAILED ${reason}` });
  });

  test.each([
    [["read_api", "read_user"], gitlab({ scopes: ["read_api", "read_user"] })],
    [
      ["read_repository"],
      gitlab({ scopes: ["read_repository"], over: { "GET /version": tooSmall, "GET /user": tooSmall } }),
    ],
  ])("a token with %j only", async (scopes, answer) => {
    await using server = await startAnswering(answer);
    const { diagnosis, ...rest } = await broken(server);
    expect(rest).toEqual({ check: "token.scopes", error: "INSUFFICIENT_SCOPES missing_api" });
    expect(diagnosis.error?.cause).toContain(scopes.join(", "));
    expect(diagnosis.error?.fix.join()).toContain("scopes=api");
    expect(diagnosis.token).toMatchObject({ scopes, scopesKnownBy: "self" });
  });

  test("a token without api on a version without `self`", async () => {
    const over = { "GET /personal_access_tokens/self": routeless };
    await using server = await startAnswering(gitlab({ version: "13.12.0", scopes: ["read_api"], over }));
    expect(await broken(server)).toMatchObject({
      check: "token.scopes",
      error: "INSUFFICIENT_SCOPES missing_api",
    });
  });

  test("a blocked user: the token is alive, the account is not", async () => {
    const blocked: Reply = {
      status: 403,
      body: { message: "403 Forbidden - Your account has been blocked." },
    };
    const over = {
      "GET /version": blocked,
      "GET /personal_access_tokens/self": blocked,
      "GET /user": blocked,
      "POST /projects": blocked,
    };
    await using server = await startAnswering(gitlab({ over }));
    const { diagnosis, ...rest } = await broken(server);
    expect(rest).toEqual({ check: "user.state", error: "ACCOUNT_UNUSABLE blocked" });
    expect(states(diagnosis.checks)).toMatchObject({
      "token.alive": "ok",
      "token.scopes": "unknown",
      "token.expiry": "unknown",
    });
  });

  test('a single "blocked" of a failing LDAP server is not believed', async () => {
    let first = true;
    const sound = gitlab();
    await using server = await startAnswering((asked) => {
      if (!asked.url.endsWith("/self") || !first) return sound(asked);
      first = false;
      return { status: 403, body: { message: "403 Forbidden - Your account has been blocked." } };
    });
    expect((await run(server)).diagnosis.ok).toBe(true);
  });

  test("an OAuth token", async () => {
    const words = "400 Bad request - This endpoint requires token type to be a personal access token";
    const over = { "GET /personal_access_tokens/self": { status: 400, body: { message: words } } };
    await using server = await startAnswering(gitlab({ over }));
    expect(await broken(server)).toMatchObject({ check: "token.kind", error: "AUTH_FAILED wrong_kind" });
  });

  test("maintenance mode shows only where a probe is needed", async () => {
    const busy: Reply = {
      status: 503,
      body: { message: "We are upgrading" },
      headers: { "retry-after": "900" },
    };
    await using server = await startAnswering(
      gitlab({ over: { "POST /projects": busy, "GET /personal_access_tokens/self": routeless } }),
    );
    expect(await broken(server)).toMatchObject({
      check: "token.scopes",
      error: "GITLAB_UNAVAILABLE maintenance",
    });
  });

  test.each([
    ["trusted.pem", undefined, "unknown_ca"],
    ["self-signed.pem", undefined, "self_signed"],
    ["expired.pem", "ca.pem", "expired"],
    ["other-name.pem", "ca.pem", "name_mismatch"],
  ])("the certificate %s", async (certificate, ca, reason) => {
    await using server = await startAnswering(gitlab(), certificate);
    const { diagnosis, ...rest } = await broken(server, ca === undefined ? {} : { ca: tlsFixture(ca) });
    expect(rest).toEqual({ check: "tls.chain", error: `TLS_UNTRUSTED ${reason}` });
    expect(diagnosis.error?.evidence["issuer"]).toBe(reason === "self_signed" ? "localhost" : "Acme Root CA");
    expect(server.asked).toEqual([]);
  });

  test.each([
    ["https://amy:hunter2@git.acme.lan", "url.shape", "INVALID_URL"],
    ["ftp://git.acme.lan", "url.shape", "INVALID_URL"],
    ["http://169.254.169.254", "url.shape", "INVALID_URL"],
    [TOKEN, "url.shape", "INVALID_URL"],
    ["http://no-such-host.invalid", "net.dns", "UNREACHABLE dns"],
  ])("%s", async (url, check, error) => {
    await using server = await startAnswering(gitlab());
    const { diagnosis, ...rest } = await broken(server, { url });
    expect(rest).toEqual({ check, error });
    expect(JSON.stringify(diagnosis)).not.toContain("hunter2");
    expect(server.asked).toEqual([]);
  });

  test("nobody listens", async () => {
    let url = "";
    {
      await using gone = await startAnswering(() => ({}));
      url = gone.url;
    }
    await using server = await startAnswering(gitlab());
    expect(await broken(server, { url })).toMatchObject({ check: "net.tcp", error: "UNREACHABLE refused" });
  });
});
