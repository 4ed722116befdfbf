import { describe, expect, test } from "vitest";
import { startAnswering, type Asked, type Reply } from "../../test/support/answering-server.ts";
import { faultOf } from "../../test/support/fault-of.ts";
import { chooseScheme, locateGitLab } from "./locate.ts";
import { parseInstanceUrl } from "./url.ts";

const refusal: Reply = { status: 401, body: { message: "401 Unauthorized" } };
const page: Reply = { status: 404, body: "<title>Not here</title>" };

/** GitLab below a sub-path; everything else is what stands on that host besides. */
const below =
  (path: string, other: Reply = page) =>
  ({ url }: Asked): Reply =>
    url === `${path}/api/v4/version` ? refusal : other;

describe("where GitLab is", () => {
  test.each<[string, string, string, number]>([
    ["as given", "", "", 1],
    ["as given, with a sub-path", "/gitlab", "/gitlab", 1],
    ["a project's address", "/acme/shop", "", 2],
    ["a project's address below a sub-path", "/git/acme/shop", "/git", 3],
    ["the sub-path left out", "", "/gitlab", 2],
    ["a clone address", "/git/acme/shop.git", "/git", 3],
  ])("%s: %s leads to %s", async (_, pasted, path, requests) => {
    await using server = await startAnswering(below(path));
    const located = await locateGitLab(parseInstanceUrl(`${server.url}${pasted}`), {});
    expect(located.base.baseUrl).toBe(`${server.url}${path}`);
    expect(located.note === null).toBe(requests === 1);
    expect(server.asked).toHaveLength(requests);
    expect(server.asked.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  test("GitLab's own sign-in page says its sub-path", async () => {
    const toSignIn: Reply = { status: 302, headers: { location: "/tools/git/users/sign_in" } };
    await using server = await startAnswering(below("/tools/git", toSignIn));
    const located = await locateGitLab(parseInstanceUrl(`${server.url}/tools/git/acme/shop`), {});
    expect(located.base.baseUrl).toBe(`${server.url}/tools/git`);
    expect(server.asked).toHaveLength(2);
  });

  test("a sign-in page of somebody else is the end, and nobody is asked elsewhere", async () => {
    await using other = await startAnswering(() => refusal);
    await using server = await startAnswering(() => ({
      status: 302,
      headers: { location: `${other.url}/users/sign_in` },
    }));
    const fault = await faultOf(locateGitLab(parseInstanceUrl(`${server.url}/a/b/c`), {}));
    expect([fault.code, fault.reason]).toEqual(["REDIRECTED", "login"]);
    expect(other.asked).toEqual([]);
    expect(server.asked).toHaveLength(1);
  });

  test("nowhere: the first answer is the news, after at most five requests", async () => {
    await using server = await startAnswering(() => page);
    const fault = await faultOf(locateGitLab(parseInstanceUrl(`${server.url}/a/b/c/d/e/f`), {}));
    expect([fault.code, fault.reason]).toEqual(["NOT_GITLAB", "html"]);
    expect(server.asked).toHaveLength(5);
  });

  test("http is taken only where no scheme was given and https does not answer", async () => {
    await using server = await startAnswering(below("/gitlab"));
    const pasted = server.url.replace("http://", "");
    const chosen = await chooseScheme(parseInstanceUrl(pasted), {});
    expect(chosen).toMatchObject({ base: { baseUrl: server.url, secure: false } });
    expect(chosen.note).toContain("http://");
    const asked = server.asked.length;
    const kept = await chooseScheme(parseInstanceUrl(`https://${pasted}`), {});
    expect(kept).toMatchObject({ base: { secure: true }, note: null });
    expect(server.asked).toHaveLength(asked);
  });

  test("a certificate that is not trusted is no reason to do without", async () => {
    await using server = await startAnswering(below(""), "self-signed.pem");
    const pasted = server.url.replace("https://", "");
    expect(await chooseScheme(parseInstanceUrl(pasted), {})).toMatchObject({
      base: { baseUrl: server.url },
      note: null,
    });
  });
});
