import { inspect } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { startAnswering, tlsFixture, type Reply } from "../../test/support/answering-server.ts";
import { faultOf } from "../../test/support/fault-of.ts";
import { startProxy } from "../../test/support/proxy-server.ts";
import { Secret } from "../kernel/secret.ts";
import { createGitLab } from "./client.ts";
import { parseNetwork } from "./parse-network.ts";

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

  test("nor any secret of the connection comes back in an error, whatever is answered", async () => {
    const secrets = {
      token: TOKEN,
      header: "h3ader-value-x",
      password: "pr0xy pass@1",
      key: "client-key.pem",
    };
    let reply: Reply = {};
    await using server = await startAnswering(() => reply);
    await using proxy = await startProxy();
    await using gitlab = createGitLab({
      baseUrl: server.url,
      token: new Secret(TOKEN),
      ...parseNetwork({
        proxy: proxy.url.replace("//", `//amy:${encodeURIComponent(secrets.password)}@`),
        headers: { "x-gate": secrets.header },
        clientCert: tlsFixture("client.pem"),
        clientKey: tlsFixture(secrets.key),
      }),
    });
    const forms = [secrets.token, secrets.header, secrets.password].flatMap((value) => [
      value,
      encodeURIComponent(value),
      Buffer.from(`x:${value}`).toString("base64"),
    ]);
    const echo = fc.constantFrom(...forms);
    const status = fc.constantFrom(200, 301, 400, 401, 403, 404, 407, 409, 422, 500);
    const shape = fc.constantFrom<(text: string) => Reply>(
      (text) => ({ body: { message: text } }),
      (text) => ({ body: { message: { field: [text] } } }),
      (text) => ({ body: { error: text, error_description: `${text} ${text}` } }),
      (text) => ({ body: `<title>${text}</title>` }),
      (text) => ({ body: text, headers: { "content-type": "application/json" } }),
      (text) => ({ body: { id: text, [text]: text } }),
      (text) => ({ body: "", headers: { location: `/${text}/api/v4`, server: text } }),
      (text) => ({ body: "", headers: { "x-request-id": text, "retry-after": "900" } }),
    );
    const property = fc.asyncProperty(status, shape, echo, async (code, form, text) => {
      reply = { status: code, ...form(text) };
      const fault = await faultOf(
        gitlab
          .setCommitStatus(1, "a", { state: "failed", ref: "m", name: "n", targetUrl: null, description: "" })
          .then(() => gitlab.getUser()),
      );
      const shown: string[] = [];
      for (let error: unknown = fault; error instanceof Error; error = error.cause)
        shown.push(everything(error));
      expect([...forms, "PRIVATE KEY"].filter((secret) => shown.join("\n").includes(secret))).toEqual([]);
    });
    await fc.assert(property, { numRuns: 120 });
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
