import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { startAnswering, type Reply } from "../../test/support/answering-server.ts";
import { faultOf } from "../../test/support/fault-of.ts";
import { Secret } from "../kernel/secret.ts";
import { createGitLab } from "./client.ts";

const TOKEN = "glpat-S3cr3t/with+odd=chars";

function client(url: string) {
  return createGitLab({ baseUrl: url, token: new Secret(TOKEN) });
}

const everything = (value: unknown): string =>
  [
    inspect(value, { depth: Infinity, showHidden: true }),
    JSON.stringify(value) ?? "",
    value instanceof Error ? `${value.stack} ${value.message} ${String(value)}` : "",
  ].join("\n");

const FORMS = [TOKEN, "S3cr3t", encodeURIComponent(TOKEN), Buffer.from(TOKEN).toString("base64")];

describe("the token", () => {
  test("is sent as Bearer to the instance and shows nowhere else", async () => {
    await using server = await startAnswering(() => ({ body: { id: 7, username: "amy" } }));
    await using gitlab = client(server.url);
    expect(await gitlab.getUser()).toMatchObject({ id: 7, username: "amy", bot: false, admin: false });
    expect(server.asked[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
    expect(server.asked[0]?.url).toBe("/api/v4/user");
    expect(FORMS.filter((form) => everything(gitlab).includes(form))).toEqual([]);
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
    ["as request id of such", { headers: { "x-request-id": TOKEN }, body: { username: 1 } }],
    ["as the server's name", { headers: { server: TOKEN, "content-type": "text/html" }, body: "<p>hello" }],
    ["connection cut", { cut: true }],
    ["rubbish", { status: 200, body: TOKEN }],
  ])("is in no error: %s", async (_, reply) => {
    await using server = await startAnswering(() => reply);
    await using gitlab = client(server.url);
    const fault = await faultOf(gitlab.getUser());
    const shown: string[] = [];
    for (let error: unknown = fault; error instanceof Error; error = error.cause)
      shown.push(everything(error));
    const text = shown.join("\n");
    expect(FORMS.filter((form) => text.includes(form))).toEqual([]);
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
      expect(everything(fault)).not.toContain(token === "" ? "Bearer" : token);
      expect(server.asked).toEqual([]);
    },
  );
});
