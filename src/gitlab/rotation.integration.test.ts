import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { startAnswering, type Reply } from "../../test/support/answering-server.ts";
import { faultOf } from "../../test/support/fault-of.ts";
import { Secret } from "../kernel/secret.ts";
import { createGitLab } from "./client.ts";

const OLD = "glpat-0ldT0k3n";
const NEW = "glpat-n3wT0k3n";

function client(url: string) {
  return createGitLab({ baseUrl: url, token: new Secret(OLD) });
}

describe("rotation", () => {
  test("says the end, once, and keeps the new token to itself", async () => {
    await using server = await startAnswering(() => ({
      body: { id: 1, token: NEW, scopes: ["api"], expires_at: "2027-01-31" },
    }));
    await using gitlab = client(server.url);
    const rotated = await gitlab.rotateToken({ token: "self", expiresAt: "2027-01-31" });
    expect(rotated.token.reveal()).toBe(NEW);
    expect(rotated.expiresAt).toBe("2027-01-31");
    expect(inspect(rotated, { depth: 9 })).not.toContain("n3wT0k3n");
    await gitlab.rotateToken({ token: 17, expiresAt: "2027-01-31" });
    expect(server.asked.map(({ method, url, body }) => [method, url, body])).toEqual([
      ["POST", "/api/v4/personal_access_tokens/self/rotate", '{"expires_at":"2027-01-31"}'],
      ["POST", "/api/v4/personal_access_tokens/17/rotate", '{"expires_at":"2027-01-31"}'],
    ]);
  });

  test.each<[string, Reply]>([
    ["connection cut", { cut: true }],
    ["bad gateway", { status: 502, body: "<title>502</title>" }],
    ["too many", { status: 429, headers: { "retry-after": "0" }, body: "Retry later" }],
    ["unavailable", { status: 503, headers: { "retry-after": "0" }, body: { message: "x" } }],
    ["a page with the new token in it", { body: `<title>${NEW}</title>` }],
    ["rubbish that is called JSON", { headers: { "content-type": "application/json" }, body: `"${NEW}` }],
    ["JSON without a token", { body: { message: NEW } }],
  ])("is never tried again, and shows nothing: %s", async (_, reply) => {
    await using server = await startAnswering(() => reply);
    await using gitlab = client(server.url);
    const fault = await faultOf(gitlab.rotateToken({ token: "self", expiresAt: "2027-01-31" }));
    expect(server.asked).toHaveLength(1);
    expect(inspect(fault, { depth: 9, showHidden: true })).not.toMatch(/n3wT0k3n|0ldT0k3n/);
  });
});

test("what the token reaches; null where GitLab does not say", async () => {
  await using server = await startAnswering(({ url }) =>
    url === "/api/v4/personal_access_tokens/self/associations?min_access_level=40&per_page=100"
      ? {
          body: {
            groups: [{ id: 1, name: "Acme", access_levels: 50 }],
            projects: [{ id: 2, path_with_namespace: "acme/shop" }],
          },
        }
      : { status: 404, body: { error: "404 Not Found" } },
  );
  await using gitlab = client(server.url);
  expect(await gitlab.findAssociations(40)).toEqual({
    groups: [{ id: 1, name: "Acme" }],
    projects: [{ id: 2, path: "acme/shop" }],
    truncated: false,
  });
  expect(await gitlab.findAssociations(30)).toBeNull();
});

describe("the probe of git", () => {
  const plain = (status: number, body: string): Reply => ({
    status,
    body,
    headers: { "content-type": "text/plain" },
  });
  const hidden =
    "The project you were looking for could not be found or you don't have permission to view it.";

  test.each([
    ["may", plain(404, hidden), true],
    ["may, by an older answer", plain(404, "The namespace you were looking for could not be found."), true],
    ["lacks the scope", plain(403, "You are not allowed to download code."), false],
  ])("%s", async (_, reply, expected) => {
    await using server = await startAnswering(() => reply);
    await using gitlab = client(`${server.url}/gitlab`);
    expect(await gitlab.probeGit("read")).toBe(expected);
    const [asked] = server.asked;
    expect(asked?.method).toBe("GET");
    expect(asked?.url).toMatch(
      /^\/gitlab\/fairlead-probe-[\w-]{16}\/x\.git\/info\/refs\?service=git-upload-pack$/,
    );
    expect(asked?.headers.authorization).toBe(`Basic ${Buffer.from(`oauth2:${OLD}`).toString("base64")}`);
  });

  test("asks for another namespace each time, to push too", async () => {
    await using server = await startAnswering(() => plain(403, "You are not allowed to upload code."));
    await using gitlab = client(server.url);
    expect(await gitlab.probeGit("push")).toBe(false);
    expect(await gitlab.probeGit("push")).toBe(false);
    expect(server.asked[0]?.url).toContain("git-receive-pack");
    expect(server.asked[0]?.url).not.toBe(server.asked[1]?.url);
  });

  test.each<[string, Reply, string, string]>([
    ["a dead token", plain(401, "HTTP Basic: Access denied"), "GIT_AUTH_FAILED", ""],
    ["ssh only", plain(403, "Git access over HTTP is not allowed"), "GIT_PROTOCOL_DISABLED", ""],
    ["a page", { status: 404, body: "<title>Not here</title>" }, "NOT_GITLAB", "html"],
    ["a redirect", { status: 302, headers: { location: "/users/sign_in" } }, "REDIRECTED", "login"],
    ["success", plain(200, "001e# service=git-upload-pack"), "NOT_GITLAB", "not_json"],
    ["overload", { status: 503, body: "Gitaly is not available" }, "GITLAB_UNAVAILABLE", "bad_gateway"],
    [
      "terms",
      plain(403, "You (@amy) must accept the Terms of Service in order to perform this action."),
      "ACCOUNT_UNUSABLE",
      "terms",
    ],
  ])("refused for another reason: %s", async (_, reply, code, reason) => {
    await using server = await startAnswering(() => reply);
    await using gitlab = client(server.url);
    const fault = await faultOf(gitlab.probeGit("read"));
    expect([fault.code, fault.reason]).toEqual([code, reason]);
    expect(inspect(fault, { depth: 9 })).not.toContain("0ldT0k3n");
  });
});
