import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { inspect } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { startAnswering, tlsFixture, type Reply } from "../../test/support/answering-server.ts";
import { faultOf } from "../../test/support/fault-of.ts";
import { startProxy } from "../../test/support/proxy-server.ts";
import { Secret } from "../kernel/secret.ts";
import { createGitLab } from "./client.ts";
import { parseNetwork, type NetworkInput } from "./parse-network.ts";

const TOKEN = "glpat-S3cr3tT0ken";
const user = { body: { id: 7, username: "amy" } };

function client(baseUrl: string, input: NetworkInput) {
  return createGitLab({ baseUrl, token: new Secret(TOKEN), ...parseNetwork(input) });
}

const ca = tlsFixture("ca.pem");

describe("a proxy", () => {
  test("tunnels https without seeing a token; the certificate that counts is GitLab's", async () => {
    await using server = await startAnswering(() => user, "trusted.pem");
    await using proxy = await startProxy({ credentials: "amy:pa ss@1", target: server.port });
    await using gitlab = client("https://localhost:9", {
      ca,
      proxy: proxy.url.replace("//", "//amy:pa%20ss%401@"),
      headers: { "x-gate": "g4te-value" },
    });
    expect((await gitlab.getUser()).id).toBe(7);
    expect((await gitlab.getUser()).id).toBe(7);
    expect(new Set(proxy.asked.map(({ line }) => line))).toEqual(new Set(["CONNECT localhost:9"]));
    expect(inspect(proxy.asked, { depth: 9 })).not.toMatch(/S3cr3t|g4te/);
    expect(server.asked[0]?.headers).not.toHaveProperty("proxy-authorization");
    expect(server.asked[0]?.headers["authorization"]).toBe(`Bearer ${TOKEN}`);

    await using untrusted = client("https://localhost:9", {
      proxy: proxy.url.replace("//", "//amy:pa%20ss%401@"),
    });
    expect(await faultOf(untrusted.getUser())).toMatchObject({ code: "TLS_UNTRUSTED", reason: "unknown_ca" });
  });

  test("of https itself, with an authority that is trusted, and one that is not", async () => {
    await using server = await startAnswering(() => user, "trusted.pem");
    await using proxy = await startProxy({ certificate: "trusted.pem", target: server.port });
    await using gitlab = client("https://localhost:9", { ca, proxy: proxy.url });
    expect((await gitlab.getUser()).id).toBe(7);
    await using other = client("https://localhost:9", { proxy: proxy.url });
    const fault = await faultOf(other.getUser());
    expect(fault).toMatchObject({ code: "UNREACHABLE", reason: "proxy" });
    expect(fault.evidence).toMatchObject({ proxy: proxy.host });
  });

  test("passes plain http on, with its own credentials and the whole address", async () => {
    await using server = await startAnswering(() => user);
    await using proxy = await startProxy({ credentials: "amy:pw12345" });
    await using gitlab = client(`${server.url}/gitlab`, { proxy: proxy.url.replace("//", "//amy:pw12345@") });
    expect((await gitlab.getUser()).id).toBe(7);
    expect(proxy.asked.map(({ line }) => line)).toEqual([`GET ${server.url}/gitlab/api/v4/user`]);
    expect(server.asked[0]).toMatchObject({ url: "/gitlab/api/v4/user" });
    expect(server.asked[0]?.headers.host).toBe(`127.0.0.1:${server.port}`);
  });

  test.each<[string, { status?: number; credentials?: string }, Record<string, unknown>]>([
    ["wants a sign-in", { credentials: "amy:other" }, { status: 407 }],
    ["forbids", { status: 403 }, { status: 403 }],
    ["cannot reach GitLab", { status: 502 }, { status: 502 }],
  ])("that %s is the proxy's trouble, not GitLab's", async (_, options, evidence) => {
    await using proxy = await startProxy(options);
    await using gitlab = client("https://localhost:9", {
      proxy: proxy.url.replace("//", "//amy:hunter2pw@"),
    });
    const fault = await faultOf(gitlab.getUser());
    expect([fault.code, fault.reason]).toEqual(["UNREACHABLE", "proxy"]);
    expect(fault.evidence).toMatchObject({ proxy: proxy.host, ...evidence });
    expect(inspect(fault, { depth: 9, showHidden: true })).not.toMatch(/hunter2pw|S3cr3t/);
  });

  test("a 407 on plain http, and a proxy that is not there", async () => {
    await using proxy = await startProxy({ credentials: "x:y" });
    await using gitlab = client("http://git.acme.invalid", { proxy: proxy.url });
    expect(await faultOf(gitlab.getUser())).toMatchObject({ code: "UNREACHABLE", reason: "proxy" });
    const gone = proxy.url;
    await proxy[Symbol.asyncDispose]();
    for (const url of ["http://git.acme.invalid", "https://git.acme.invalid"]) {
      await using other = client(url, { proxy: gone });
      const fault = await faultOf(other.getUser());
      expect([fault.code, fault.reason]).toEqual(["UNREACHABLE", "proxy"]);
      expect(fault.evidence).toMatchObject({ networkError: "ECONNREFUSED" });
    }
  });
});

describe("a client certificate", () => {
  async function startDemanding() {
    const options = {
      key: tlsFixture("server-key.pem"),
      cert: tlsFixture("trusted.pem"),
      ca: tlsFixture("client.pem"),
    };
    const server = createTlsServer(
      { ...options, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        const known = (request.socket as TLSSocket).authorized;
        response.writeHead(known ? 200 : 400, { "content-type": known ? "application/json" : "text/html" });
        response.end(
          known
            ? JSON.stringify(user.body)
            : "<html><head><title>400 No required SSL certificate was sent</title></head></html>",
        );
      },
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    onTestFinished(() => server.closeAllConnections());
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test("is shown to who asks for it; without it the refusal is not GitLab's", async () => {
    const url = await startDemanding();
    const own = { clientCert: tlsFixture("client.pem"), clientKey: tlsFixture("client-key.pem") };
    await using gitlab = client(url, { ca, ...own });
    expect((await gitlab.getUser()).id).toBe(7);
    await using without = client(url, { ca });
    const fault = await faultOf(without.getUser());
    expect([fault.code, fault.reason]).toEqual(["NOT_GITLAB", "sso"]);
    expect(fault.evidence.words).toContain("No required SSL certificate");
    expect(inspect(gitlab, { depth: 9, showHidden: true })).not.toContain("PRIVATE KEY");
  });
});

describe("headers of a connection", () => {
  test("go along, never instead of ours, and come back in no error", async () => {
    let reply: Reply = user;
    await using server = await startAnswering(() => reply);
    const headers = { "CF-Access-Client-Id": "cl1ent-id", "x-gate": "g4te-value" };
    await using gitlab = client(server.url, { headers });
    await gitlab.getUser();
    expect(server.asked[0]?.headers).toMatchObject({
      "cf-access-client-id": "cl1ent-id",
      "x-gate": "g4te-value",
      authorization: `Bearer ${TOKEN}`,
    });
    reply = { status: 400, body: { message: "bad x-gate: g4te-value" } };
    expect(inspect(await faultOf(gitlab.getUser()), { depth: 9 })).not.toContain("g4te-value");
    await using other = await startAnswering(() => user);
    reply = { status: 302, headers: { location: `${other.url}/api/v4/user` } };
    await faultOf(gitlab.getUser());
    expect(other.asked).toEqual([]);
  });
});
