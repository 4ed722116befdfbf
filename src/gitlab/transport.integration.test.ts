import { describe, expect, test } from "vitest";
import { startAnswering, tlsFixture, type Reply } from "../../test/support/answering-server.ts";
import { faultOf } from "../../test/support/fault-of.ts";
import { Secret } from "../kernel/secret.ts";
import { createGitLab } from "./client.ts";

function client(url: string, more: { ca?: string } = {}) {
  return createGitLab({ baseUrl: url, token: new Secret("glpat-x"), ...more });
}

describe("retries", () => {
  const failing = (times: number, reply: Reply, then: Reply) => {
    let count = 0;
    return (): Reply => (count++ < times ? reply : then);
  };
  const hook = { id: 3, url: "https://x.invalid/h", push_events: true };
  const settings = {
    url: "https://x.invalid/h",
    token: new Secret("s"),
    signingToken: new Secret("whsec_x"),
    name: "fairlead",
  };

  test.each<[string, Reply]>([
    ["502", { status: 502, body: "<title>GitLab is not responding</title>" }],
    ["503", { status: 503, body: { message: "busy" }, headers: { "retry-after": "0" } }],
    ["504", { status: 504, body: "" }],
    ["429", { status: 429, body: "Retry later\n", headers: { "retry-after": "0" } }],
    ["a cut connection", { cut: true }],
  ])("GET, PUT and DELETE are repeated after %s", async (_, reply) => {
    await using server = await startAnswering(failing(1, reply, { body: { id: 1, username: "amy" } }));
    await using gitlab = client(server.url);
    expect((await gitlab.getUser()).id).toBe(1);
    expect(server.asked).toHaveLength(2);

    await using putting = await startAnswering(failing(1, reply, { body: hook }));
    await using second = client(putting.url);
    expect((await second.updateHook(1, 3, settings)).id).toBe(3);
    expect(putting.asked.map(({ method }) => method)).toEqual(["PUT", "PUT"]);

    await using deleting = await startAnswering(failing(1, reply, { status: 204 }));
    await using third = client(deleting.url);
    expect(await third.deleteHook(1, 3)).toBe(true);
    expect(deleting.asked).toHaveLength(2);
  });

  test.each<[string, Reply]>([
    ["502", { status: 502, body: "" }],
    ["429", { status: 429, body: "Retry later\n", headers: { "retry-after": "0" } }],
    ["a cut connection", { cut: true }],
  ])("POST is never repeated after %s", async (_, reply) => {
    await using server = await startAnswering(failing(1, reply, { status: 201, body: hook }));
    await using gitlab = client(server.url);
    const fault = await faultOf(gitlab.createHook(1, settings));
    expect(fault.retryable).toBe(true);
    expect(server.asked).toHaveLength(1);
  });

  test("ends after three tries, with the last trouble", async () => {
    await using server = await startAnswering(() => ({ status: 502, body: "" }));
    await using gitlab = client(server.url);
    expect((await faultOf(gitlab.getUser())).is("GITLAB_UNAVAILABLE", "bad_gateway")).toBe(true);
    expect(server.asked).toHaveLength(3);
  });

  test("does not wait longer than a minute for GitLab's Retry-After, and tells it", async () => {
    await using server = await startAnswering(() => ({
      status: 429,
      body: "Retry later\n",
      headers: { "retry-after": "900" },
    }));
    await using gitlab = client(server.url);
    const before = Date.now();
    const fault = await faultOf(gitlab.getUser());
    expect(fault.is("RATE_LIMITED")).toBe(true);
    expect(fault.retryAt ?? 0).toBeGreaterThanOrEqual(before + 899_000);
    expect(server.asked).toHaveLength(1);
  });

  test("who gives up while it waits is told why it waited", async () => {
    const reply = { status: 429, body: "Retry later\n", headers: { "retry-after": "30" } };
    await using server = await startAnswering(() => reply);
    await using gitlab = client(server.url);
    const fault = await faultOf(gitlab.getUser({ signal: AbortSignal.timeout(300) }));
    expect(fault.is("RATE_LIMITED")).toBe(true);
  });
});

describe("deadlines and limits", () => {
  test("a caller that aborts gets CANCELLED, a caller's deadline is a time-out", async () => {
    await using server = await startAnswering(() => ({ body: {}, delayMs: 2_000 }));
    await using gitlab = client(server.url);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    expect((await faultOf(gitlab.getUser({ signal: stop.signal }))).code).toBe("CANCELLED");
    const late = await faultOf(gitlab.getUser({ signal: AbortSignal.timeout(50) }));
    expect(late.is("UNREACHABLE", "timeout")).toBe(true);
  });

  test("at most eight requests run at once", async () => {
    let running = 0;
    let most = 0;
    await using server = await startAnswering(async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 20));
      running--;
      return { body: { id: 1, username: "amy" } };
    });
    await using gitlab = client(server.url);
    await Promise.all(Array.from({ length: 40 }, () => gitlab.getUser()));
    expect(most).toBe(8);
    expect(server.asked).toHaveLength(40);
  });

  test("an endless answer is cut off", async () => {
    const huge = Buffer.alloc(17 * 1024 * 1024, 0x20);
    await using server = await startAnswering(() => ({
      body: huge,
      headers: { "content-type": "application/json" },
    }));
    await using gitlab = client(server.url);
    const fault = await faultOf(gitlab.getUser());
    expect(fault.is("NOT_GITLAB", "not_json")).toBe(true);
    expect(await gitlab.compare(1, "a".repeat(40), "b".repeat(40))).toEqual({
      changedPaths: null,
      commits: [],
    });
  });
});

describe("reaching", () => {
  test("the sub-path of the instance is kept and ids are encoded", async () => {
    const project = { id: 9, path_with_namespace: "g/p", web_url: "http://x/gitlab/g/p" };
    await using server = await startAnswering(() => ({ body: project }));
    await using gitlab = client(`${server.url}/gitlab/`);
    expect((await gitlab.getProject("g/p")).id).toBe(9);
    expect(server.asked[0]?.url).toBe("/gitlab/api/v4/projects/g%2Fp");
  });

  test("nobody listens", async () => {
    let url = "";
    {
      await using server = await startAnswering(() => ({}));
      url = server.url;
    }
    await using gitlab = client(url);
    expect((await faultOf(gitlab.getUser())).is("UNREACHABLE", "refused")).toBe(true);
  });

  test("a name that does not exist", async () => {
    await using gitlab = client("http://no-such-host.invalid");
    expect((await faultOf(gitlab.getUser())).is("UNREACHABLE", "dns")).toBe(true);
  });

  test.each([
    ["trusted.pem", "unknown_ca", undefined],
    ["self-signed.pem", "self_signed", undefined],
    ["other-name.pem", "name_mismatch", "ca.pem"],
    ["expired.pem", "expired", "ca.pem"],
  ] as const)("a certificate that is not trusted: %s is %s", async (certificate, reason, ca) => {
    await using server = await startAnswering(() => ({ body: { id: 1, username: "amy" } }), certificate);
    await using gitlab = client(server.url, ca === undefined ? {} : { ca: tlsFixture(ca) });
    const fault = await faultOf(gitlab.getUser());
    expect(fault).toMatchObject({ code: "TLS_UNTRUSTED", reason });
    expect(server.asked).toEqual([]);
  });

  test("a pasted CA is trusted", async () => {
    await using server = await startAnswering(() => ({ body: { id: 1, username: "amy" } }), "trusted.pem");
    await using gitlab = client(server.url, { ca: tlsFixture("ca.pem") });
    expect((await gitlab.getUser()).username).toBe("amy");
  });

  test.each([
    "garbage",
    "-----BEGIN CERTIFICATE-----\n",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    `${tlsFixture("ca.pem")}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
  ])("a damaged CA is told, not left out: %j", (ca) => {
    expect(() => client("https://git.acme.lan", { ca })).toThrow(
      expect.objectContaining({ code: "BAD_REQUEST", reason: "invalid" }),
    );
  });

  test("https where http is spoken", async () => {
    await using server = await startAnswering(() => ({ body: {} }));
    await using gitlab = client(server.url.replace("http:", "https:"));
    expect((await faultOf(gitlab.getUser())).is("UNREACHABLE", "reset")).toBe(true);
  });

  test.each([
    "http://169.254.169.254",
    "http://[fe80::1]",
    "http://[fd00:ec2::254]",
    "http://2852039166",
    "http://[::ffff:169.254.169.254]",
  ])("never: %s", (url) => {
    expect(() => client(url)).toThrow(expect.objectContaining({ code: "INVALID_URL" }));
  });
});
