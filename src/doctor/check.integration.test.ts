import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { startAnswering, tlsFixture, type AnsweringServer } from "../../test/support/answering-server.ts";
import { faultOf } from "../../test/support/fault-of.ts";
import { gitlab, routeless, TOKEN, tooSmall, unauthorized } from "../../test/support/gitlab-scene.ts";
import { startProxy } from "../../test/support/proxy-server.ts";
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

describe("a sound connection", () => {
  test.each(["/gitlab/shop/web", "/gitlab/shop/web.git", "/gitlab/-/profile", ""])(
    "an address about right (%s) is put right, and it is said",
    async (path) => {
      await using server = await startAnswering(gitlab({ path: "/gitlab" }));
      const { diagnosis, found } = await run(server, { url: `${server.url}${path}` });
      expect(found?.baseUrl).toBe(`${server.url}/gitlab`);
      expect(diagnosis.instance.url).toBe(`${server.url}/gitlab`);
    },
  );

  test("http is spoken where no scheme was given and https does not answer", async () => {
    await using server = await startAnswering(gitlab());
    const { diagnosis, found } = await run(server, { url: server.url.replace("http://", "") });
    expect(found?.baseUrl).toBe(server.url);
    const shape = diagnosis.checks.find(({ id }) => id === "url.shape");
    expect(shape?.evidence).toContain("https:// does not answer there, http:// does");
  });

  test("through a proxy, of which it says why it applies", async () => {
    await using server = await startAnswering(gitlab(), "trusted.pem");
    await using proxy = await startProxy({ target: server.port });
    const network = { ca: tlsFixture("ca.pem"), proxy: new Secret(proxy.url) };
    const { diagnosis } = await checkConnection({
      url: "https://localhost:9",
      token: new Secret(TOKEN),
      network,
    });
    expect(diagnosis.error).toBeNull();
    const seen = diagnosis.checks.filter(({ id }) => /^(net|tls)\./.test(id));
    expect(seen.map(({ id, state, evidence }) => [id, state, evidence?.slice(0, 30)])).toEqual([
      ["net.dns", "skip", undefined],
      ["net.tcp", "skip", undefined],
      ["net.proxy", "ok", "given for this connection"],
      ["tls.chain", "ok", "signed by Acme Root CA, valid "],
    ]);
    expect(new Set(proxy.asked.map(({ line }) => line))).toEqual(new Set(["CONNECT localhost:9"]));
  });

  test("every check is ok, and what it is is found", async () => {
    await using server = await startAnswering(gitlab({ path: "/gitlab" }));
    const { diagnosis, found } = await run(server, { url: `${server.url}/gitlab/` });
    expect(diagnosis).toMatchObject({ schema: 1, ok: true, error: null });
    expect(diagnosis.instance).toEqual({ url: `${server.url}/gitlab`, version: "18.9.0", edition: "ee" });
    expect(diagnosis.token).toEqual({
      kind: "personal",
      name: "deploy",
      scopes: ["api"],
      scopesKnownBy: "self",
      expiresAt: "2027-11-01",
      user: "amy",
    });
    expect(states(diagnosis.checks)).toEqual({
      "url.shape": "ok",
      "net.dns": "ok",
      "net.tcp": "ok",
      "net.proxy": "ok",
      "tls.chain": "skip",
      "http.redirect": "ok",
      "gitlab.is": "ok",
      "gitlab.version": "ok",
      "time.skew": "ok",
      "token.alive": "ok",
      "token.kind": "ok",
      "token.scopes": "ok",
      "token.expiry": "ok",
      "user.state": "ok",
      "api.limits": "ok",
      "admin.settings": "skip",
    });
    expect(found).toEqual({
      baseUrl: `${server.url}/gitlab`,
      webUrl: "https://web.acme.lan/gl",
      version: "18.9.0",
      edition: "ee",
      token: {
        kind: "personal",
        name: "deploy",
        scopes: ["api"],
        scopesKnownBy: "self",
        expiresAt: "2027-11-01",
      },
      user: { id: 7, username: "amy" },
    });
    expect(inspect(diagnosis, { depth: Infinity }) + JSON.stringify(found)).not.toContain(TOKEN);
  });

  test("nothing is changed in GitLab, and the first request carries no token", async () => {
    await using server = await startAnswering(gitlab());
    await run(server);
    expect(server.asked[0]?.headers.authorization).toBeUndefined();
    expect(server.asked.filter(({ method }) => method !== "GET")).toEqual([]);
  });

  test.each([
    ["project_12_bot_0f3a", "project"],
    ["group_3_bot", "group"],
  ])("the token of @%s is a %s token", async (username, kind) => {
    await using server = await startAnswering(gitlab({ username }));
    const { found } = await run(server);
    expect(found?.token.kind).toBe(kind);
  });

  test("over TLS with a pasted authority", async () => {
    await using server = await startAnswering(gitlab(), "trusted.pem");
    const { diagnosis } = await run(server, { ca: tlsFixture("ca.pem") });
    expect(diagnosis.ok).toBe(true);
    expect(diagnosis.checks.find(({ id }) => id === "tls.chain")).toMatchObject({
      state: "ok",
      evidence: expect.stringContaining("signed by Acme Root CA"),
    });
  });

  test("15.1 to 15.4, where `self` refuses good tokens, and older, where there is none: probed", async () => {
    for (const self of [
      unauthorized,
      routeless,
      tooSmall,
      { status: 404, body: { message: "404 Not Found" } },
    ]) {
      await using server = await startAnswering(
        gitlab({ version: "15.3.2", over: { "GET /personal_access_tokens/self": self } }),
      );
      const { diagnosis, found } = await run(server);
      expect(diagnosis.error).toBeNull();
      expect(found?.token).toMatchObject({
        scopes: ["api"],
        scopesKnownBy: "probe",
        expiresAt: null,
        name: null,
      });
      expect(states(diagnosis.checks)["token.expiry"]).toBe("unknown");
      expect(server.asked.filter(({ method }) => method === "POST")).toHaveLength(1);
    }
  });

  test("a fine-grained token passes with a warning", async () => {
    const lacks = {
      status: 403,
      body: { error: "insufficient_granular_scope", error_description: "Access denied: [create_project]" },
    };
    await using server = await startAnswering(
      gitlab({ scopes: ["granular"], over: { "POST /projects": lacks } }),
    );
    const { diagnosis } = await run(server);
    expect(diagnosis).toMatchObject({ ok: true, token: { kind: "granular" } });
    expect(states(diagnosis.checks)["token.scopes"]).toBe("warn");
  });

  test.each([
    ["2026-12-23", "warn", "The token expires in 30 days"],
    ["2026-12-24", "ok", "The token lives for 31 more days"],
    ["2026-11-24", "warn", "The token expires within a day"],
    [null, "ok", "The token does not expire"],
  ])("expiry %s: %s", async (expires, state, title) => {
    await using server = await startAnswering(gitlab({ expires }));
    const { diagnosis } = await run(server);
    expect(diagnosis.ok).toBe(true);
    expect(diagnosis.checks.find(({ id }) => id === "token.expiry")).toMatchObject({ state, title });
  });
});

describe("limits", () => {
  test("a caller that stops gets CANCELLED", async () => {
    await using server = await startAnswering(() => ({ delayMs: 5_000 }));
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 100);
    const fault = await faultOf(
      checkConnection({ url: server.url, token: new Secret(TOKEN), signal: stop.signal }),
    );
    expect(fault.code).toBe("CANCELLED");
  });

  test("a GitLab that never answers ends after ten seconds", async () => {
    await using server = await startAnswering(() => ({ delayMs: 60_000 }));
    const before = Date.now();
    const { diagnosis } = await run(server);
    expect(diagnosis.error).toMatchObject({ code: "UNREACHABLE", reason: "timeout" });
    expect(Date.now() - before).toBeLessThan(14_000);
  });

  test("observations are told, and unknown ones count for nothing", async () => {
    await using server = await startAnswering(gitlab());
    const request = { url: server.url, token: new Secret(TOKEN), clock };
    const { diagnosis } = await checkConnection(request, {
      deliveriesSeen: { accepted: 4, refused: 2 },
      headsNotDeployed: [],
      statusWritten: "unknown",
    });
    expect(diagnosis.ok).toBe(true);
    expect(states(diagnosis.checks)).toMatchObject({
      "hook.deliveries": "warn",
      "hook.gap": "ok",
      "status.write": "unknown",
    });
  });
});
