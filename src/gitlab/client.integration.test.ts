import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { startAnswering, tlsFixture, type Asked, type Reply } from "../../test/support/answering-server.ts";
import { Fault } from "../faults/fault.ts";
import { Secret } from "../kernel/secret.ts";
import { createGitLab } from "./client.ts";

const TOKEN = "glpat-S3cr3t/with+odd=chars";

function client(url: string, more: { ca?: string } = {}) {
  return createGitLab({ baseUrl: url, token: new Secret(TOKEN), ...more });
}

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  const thrown: unknown = await work.then(
    () => "nothing was thrown",
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(Fault);
  return thrown as Fault;
}

const everything = (value: unknown): string =>
  [
    inspect(value, { depth: Infinity, showHidden: true }),
    JSON.stringify(value) ?? "",
    value instanceof Error ? `${value.stack} ${value.message} ${String(value)}` : "",
  ].join("\n");

function expectNoToken(text: string): void {
  const forms = [TOKEN, "S3cr3t", encodeURIComponent(TOKEN), Buffer.from(TOKEN).toString("base64")];
  for (const form of forms) expect(text).not.toContain(form);
}

describe("the token", () => {
  test("is sent as Bearer to the instance and shows nowhere else", async () => {
    await using server = await startAnswering(() => ({ body: { id: 7, username: "amy" } }));
    await using gitlab = client(server.url);
    expect(await gitlab.getUser()).toMatchObject({ id: 7, username: "amy", bot: false, admin: false });
    expect(server.asked[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
    expect(server.asked[0]?.url).toBe("/api/v4/user");
    expectNoToken(everything(gitlab));
  });

  test.each<[string, Reply]>([
    ["refused", { status: 401, body: { message: "401 Unauthorized" } }],
    ["echoed by a proxy", { status: 500, body: `<title>bad header Bearer ${TOKEN}</title>` }],
    ["echoed url-encoded", { status: 400, body: { error: `private_token=${encodeURIComponent(TOKEN)} x` } }],
    [
      "echoed in base64",
      { status: 400, body: { error: `Basic ${Buffer.from(`oauth2:${TOKEN}`).toString("base64")}` } },
    ],
    ["in a redirect", { status: 302, headers: { location: `https://else.invalid/?private_token=${TOKEN}` } }],
    ["in a redirect's path", { status: 302, headers: { location: `/x/${TOKEN}` } }],
    [
      "as request id",
      { status: 404, headers: { "x-request-id": TOKEN }, body: { message: "404 Not found" } },
    ],
    ["echoed as JSON of another kind", { status: 200, body: { username: TOKEN } }],
    ["connection cut", { cut: true }],
    ["rubbish", { status: 200, body: TOKEN }],
  ])("is in no error: %s", async (_, reply) => {
    await using server = await startAnswering(() => reply);
    await using gitlab = client(server.url);
    const fault = await faultOf(gitlab.getUser());
    expectNoToken(everything(fault));
    let cause: unknown = fault.cause;
    while (cause instanceof Error) {
      expectNoToken(everything(cause));
      cause = cause.cause;
    }
  });

  test.each([301, 302, 303, 307, 308])(
    "does not cross a redirect (%i), nor does the request",
    async (status) => {
      await using other = await startAnswering(() => ({ body: { id: 1, username: "eve" } }));
      await using server = await startAnswering(() => ({
        status,
        headers: { location: `${other.url}/api/v4/user` },
      }));
      await using gitlab = client(server.url);
      const fault = await faultOf(gitlab.getUser());
      expect(fault.is("REDIRECTED", "other_host")).toBe(true);
      expect(fault.evidence).toMatchObject({
        from: `${server.url}/api/v4/user`,
        to: `${other.url}/api/v4/user`,
      });
      expect(other.asked).toEqual([]);
      expect(server.asked).toHaveLength(1);
    },
  );

  test("does not follow a Link header to another origin", async () => {
    const hook = (id: number) => ({ id, url: `https://x.invalid/${id}` });
    await using other = await startAnswering(() => ({ body: [] }));
    await using server = await startAnswering(({ url }) =>
      url.includes("page=2")
        ? { body: [hook(2)] }
        : {
            body: [hook(1)],
            headers: {
              link: `<${other.url}/api/v4/projects/1/hooks?page=2&per_page=100&sudo=1>; rel="next"`,
            },
          },
    );
    await using gitlab = client(server.url);
    expect((await gitlab.listHooks(1)).map(({ id }) => id)).toEqual([1, 2]);
    expect(other.asked).toEqual([]);
    expect(server.asked[1]?.url).toBe("/api/v4/projects/1/hooks?per_page=100&page=2");
  });

  test.each(["", "two words", "line\nend", "schlüssel"])(
    "that no header can carry is refused unsent: %j",
    async (token) => {
      await using server = await startAnswering(() => ({ body: {} }));
      await using gitlab = createGitLab({ baseUrl: server.url, token: new Secret(token) });
      const fault = await faultOf(gitlab.getUser());
      expect(fault.is("AUTH_FAILED", "unknown_token")).toBe(true);
      if (token !== "") expect(everything(fault)).not.toContain(token);
      expect(server.asked).toEqual([]);
    },
  );
});

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

describe("answers", () => {
  const routes =
    (table: Record<string, Reply>) =>
    (asked: Asked): Reply =>
      table[`${asked.method} ${asked.url}`] ?? { status: 404, body: { error: "404 Not Found" } };

  test("writes declare JSON, DELETE included", async () => {
    await using server = await startAnswering(() => ({ status: 204 }));
    await using gitlab = client(server.url);
    await gitlab.deleteHook(4, 5);
    expect(server.asked[0]).toMatchObject({ method: "DELETE", url: "/api/v4/projects/4/hooks/5" });
    expect(server.asked[0]?.headers["content-type"]).toBe("application/json");
  });

  test("what is gone already is not an error, a project that cannot be seen is", async () => {
    await using server = await startAnswering(
      routes({
        "DELETE /api/v4/projects/1/hooks/5": { status: 404, body: { message: "404 Not found" } },
        "DELETE /api/v4/projects/1/deploy_keys/6": {
          status: 404,
          body: { message: "404 Deploy key Not Found" },
        },
        "DELETE /api/v4/projects/2/hooks/5": { status: 404, body: { message: "404 Project Not Found" } },
      }),
    );
    await using gitlab = client(server.url);
    expect(await gitlab.deleteHook(1, 5)).toBe(false);
    expect(await gitlab.deleteDeployKey(1, 6)).toBe(false);
    expect((await faultOf(gitlab.deleteHook(2, 5))).is("PROJECT_NOT_FOUND", "hidden_or_missing")).toBe(true);
  });

  test("absent branches and commits are null; absent projects and repositories are not", async () => {
    const base = "/api/v4/projects/1/repository";
    await using server = await startAnswering(
      routes({
        [`GET ${base}/branches/no`]: { status: 404, body: { message: "404 Branch Not Found" } },
        [`GET ${base}/branches/a%2Fb`]: { body: { name: "a/b", commit: { id: "f".repeat(40), title: "T" } } },
        [`GET ${base}/branches/b%20d`]: { status: 400, body: { message: "The branch refname is invalid" } },
        [`GET ${base}/commits/no`]: { status: 404, body: { message: "404 Commit Not Found" } },
        [`GET ${base}/branches/off`]: { status: 404, body: { message: "404 Repository Not Found" } },
      }),
    );
    await using gitlab = client(server.url);
    expect(await gitlab.findBranch(1, "no")).toBeNull();
    expect((await gitlab.findBranch(1, "a/b"))?.commit.sha).toBe("f".repeat(40));
    expect(await gitlab.findBranch(1, "b d")).toBeNull();
    expect(await gitlab.findBranch(1, "..")).toBeNull();
    expect(await gitlab.findBranch(1, "")).toBeNull();
    expect(await gitlab.findCommit(1, "no")).toBeNull();
    expect((await faultOf(gitlab.findBranch(1, "off"))).code).toBe("REPOSITORY_DISABLED");
  });

  test("self that does not tell the truth is cross-checked with /user", async () => {
    const unauthorized = { status: 401, body: { message: "401 Unauthorized" } };
    await using old = await startAnswering(
      routes({
        "GET /api/v4/personal_access_tokens/self": unauthorized,
        "GET /api/v4/user": { body: { id: 1, username: "amy" } },
      }),
    );
    await using gitlab = client(old.url);
    expect(await gitlab.findToken()).toBeNull();

    await using wrong = await startAnswering(() => unauthorized);
    await using other = client(wrong.url);
    expect((await faultOf(other.findToken())).is("AUTH_FAILED", "unknown_token")).toBe(true);

    await using gitOnly = await startAnswering(
      routes({
        "GET /api/v4/user": { status: 403, body: { error: "insufficient_scope", scope: "api read_user" } },
      }),
    );
    await using third = client(gitOnly.url);
    expect(await third.findToken()).toBeNull();
  });

  test("the probe for `api` creates nothing and tells", async () => {
    const missing = "name, path are missing, at least one parameter must be provided";
    await using good = await startAnswering(() => ({ status: 400, body: { error: missing } }));
    await using gitlab = client(good.url);
    await gitlab.probeApiScope();
    expect(good.asked[0]).toMatchObject({ method: "POST", url: "/api/v4/projects", body: "{}" });

    await using reading = await startAnswering(() => ({
      status: 403,
      body: {
        error: "insufficient_scope",
        error_description: "The request requires higher privileges than provided by the access token.",
        scope: "ai_workflows api read_api",
      },
    }));
    await using other = client(reading.url);
    expect((await faultOf(other.probeApiScope())).is("INSUFFICIENT_SCOPES", "missing_api")).toBe(true);
  });

  test("a commit status that is there already is done; a refusal of an archived project says so", async () => {
    const status = {
      state: "pending",
      ref: "main",
      name: "fairlead",
      targetUrl: `https://x.invalid/${"p".repeat(300)}`,
      description: "d".repeat(400),
    } as const;
    const sha = "a".repeat(40);
    const words =
      'Cannot transition status via :enqueue from :pending (Reason(s): Status cannot transition via "enqueue")';
    await using same = await startAnswering(() => ({ status: 400, body: { message: words } }));
    await using gitlab = client(same.url);
    await gitlab.setCommitStatus(1, sha, status);
    const sent = JSON.parse(same.asked[0]?.body ?? "") as Record<string, string>;
    expect(sent["description"]).toHaveLength(255);
    expect(sent).not.toHaveProperty("target_url");

    await using archived = await startAnswering(({ method }) =>
      method === "POST"
        ? { status: 403, body: { message: "403 Forbidden" } }
        : { body: { id: 1, path_with_namespace: "g/p", web_url: "http://x/g/p", archived: true } },
    );
    await using other = client(archived.url);
    expect((await faultOf(other.setCommitStatus(1, sha, status))).code).toBe("PROJECT_ARCHIVED");
  });

  test("a list that never ends is refused rather than cut silently", async () => {
    await using server = await startAnswering(() => ({
      body: [{ id: 1, url: "https://x.invalid" }],
      headers: { "x-next-page": "2" },
    }));
    await using gitlab = client(server.url);
    expect((await faultOf(gitlab.listHooks(1))).code).toBe("TOO_LARGE");
    expect(server.asked.length).toBeLessThan(5);
  });

  test("version and edition, from old and new answers", async () => {
    await using old = await startAnswering(() => ({ body: { version: "12.7.2-ee", revision: "x" } }));
    await using gitlab = client(old.url);
    expect(await gitlab.instance()).toEqual({ version: "12.7.2", edition: "ee" });
    await using recent = await startAnswering(() => ({ body: { version: "18.9.0", enterprise: true } }));
    await using other = client(recent.url);
    expect(await other.instance()).toEqual({ version: "18.9.0", edition: "ee" });
  });
});
