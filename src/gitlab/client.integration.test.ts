import { describe, expect, test } from "vitest";
import { startAnswering, type Asked, type Reply } from "../../test/support/answering-server.ts";
import { faultOf } from "../../test/support/fault-of.ts";
import { Secret } from "../kernel/secret.ts";
import { createGitLab } from "./client.ts";

function client(url: string) {
  return createGitLab({ baseUrl: url, token: new Secret("glpat-x") });
}

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

  test.each<[string, Reply]>([
    ["decodes %2F", { status: 404, body: { error: "404 Not Found" } }],
    ["refuses %2F", { status: 404, body: "<title>404 Not Found</title>" }],
  ])("behind a proxy that %s branches and commits are asked for by query", async (_, unknown) => {
    const base = "/api/v4/projects/1/repository";
    const commit = { id: "f".repeat(40), title: "T" };
    await using server = await startAnswering((asked) => {
      const answers: Record<string, Reply> = {
        [`${base}/branches?search=a%2Fb&per_page=100`]: {
          body: [
            { name: "a/b2", commit: { id: "0".repeat(40) } },
            { name: "a/b", commit },
          ],
        },
        [`${base}/branches?search=a%2Fno&per_page=100`]: { body: [] },
        [`${base}/commits?ref_name=a%2Fb&per_page=1`]: { body: [commit] },
        [`${base}/commits?ref_name=a%2Fno&per_page=1`]: {
          status: 404,
          body: { message: "404 Commit Not Found" },
        },
      };
      return answers[asked.url] ?? unknown;
    });
    await using gitlab = client(server.url);
    expect((await gitlab.findBranch(1, "a/b"))?.commit.sha).toBe("f".repeat(40));
    expect(await gitlab.findBranch(1, "a/no")).toBeNull();
    expect((await gitlab.findCommit(1, "a/b"))?.title).toBe("T");
    expect(await gitlab.findCommit(1, "a/no")).toBeNull();
    expect((await faultOf(gitlab.findBranch(1, "main"))).code).toBe("NOT_GITLAB");
  });

  test("behind a proxy that decodes %2F a project is found by its name", async () => {
    const project = (id: number, path: string) => ({
      id,
      path_with_namespace: path,
      web_url: `http://x/${path}`,
    });
    await using server = await startAnswering(
      routes({
        "GET /api/v4/projects?search=web&per_page=100": {
          body: [project(1, "old/web"), project(2, "Shop/web")],
        },
      }),
    );
    await using gitlab = client(server.url);
    expect((await gitlab.getProject("shop/web")).id).toBe(2);
    expect((await faultOf(gitlab.getProject("other/web"))).is("PROJECT_NOT_FOUND")).toBe(true);
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
    expect(await gitlab.instance()).toMatchObject({ version: "12.7.2", edition: "ee" });
    await using recent = await startAnswering(() => ({ body: { version: "18.9.0", enterprise: true } }));
    await using other = client(recent.url);
    expect(await other.instance()).toMatchObject({ version: "18.9.0", edition: "ee" });
  });
});
