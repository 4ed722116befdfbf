import { mkdir, mkdtemp, realpath, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { createServer, request, type IncomingHttpHeaders, type Server } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveFile } from "./static-files.ts";
import type { Site } from "./static-find.ts";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe("serveFile", () => {
  let outside: string;
  let root: string;
  let plain: Served;
  let app: Served;

  beforeAll(async () => {
    outside = await realpath(await mkdtemp(join(tmpdir(), "fairlead-static-")));
    root = join(outside, "site");
    await mkdir(join(root, "docs", "empty"), { recursive: true });
    await mkdir(join(root, ".git"));
    await mkdir(join(root, ".well-known"));
    const files: Record<string, string> = {
      "index.html": "home",
      "about.html": "about",
      "docs/index.html": "docs",
      "a b%.txt": "0123456789",
      "ä.txt": "umlaut",
      "empty.txt": "",
      "app.JS": "code",
      "data.unknown": "data",
      "404.html": "not here",
      ".env": "secret",
      ".git/config": "secret",
      ".well-known/security.txt": "contact",
      "../secret.txt": "secret",
      "../site-two.txt": "secret",
    };
    for (const [name, content] of Object.entries(files)) await writeFile(join(root, name), content);
    await utimes(join(root, "a b%.txt"), 1_700_000_000.5, 1_700_000_000.5);
    await symlink("../secret.txt", join(root, "escape.txt"));
    await symlink("..", join(root, "up"));
    await symlink("index.html", join(root, "inner.html"));
    await symlink("loop", join(root, "loop"));
    plain = await serve({ root, fallback: null });
    app = await serve({ root, fallback: "index.html" });
  });
  afterAll(async () => {
    plain.server.close();
    app.server.close();
    await rm(outside, { recursive: true, force: true });
  });

  it.each([
    ["/", "home", "text/html; charset=utf-8"],
    ["/?a=/../x", "home", "text/html; charset=utf-8"],
    ["/about", "about", "text/html; charset=utf-8"],
    ["/about.html", "about", "text/html; charset=utf-8"],
    ["/docs/", "docs", "text/html; charset=utf-8"],
    ["/a%20b%25.txt", "0123456789", "text/plain; charset=utf-8"],
    ["/%C3%A4.txt", "umlaut", "text/plain; charset=utf-8"],
    ["/empty.txt", "", "text/plain; charset=utf-8"],
    ["/app.JS", "code", "text/javascript; charset=utf-8"],
    ["/data.unknown", "data", "application/octet-stream"],
    ["/inner.html", "home", "text/html; charset=utf-8"],
    ["//about.html", "about", "text/html; charset=utf-8"],
    ["/.well-known/security.txt", "contact", "text/plain; charset=utf-8"],
  ])("GET %s", async (path, body, type) => {
    const answer = await plain.ask("GET", path);
    expect(answer).toMatchObject({ status: 200, body });
    expect(answer.headers["content-type"]).toBe(type);
    expect(answer.headers["content-length"]).toBe(String(body.length));
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
  });

  it.each([
    "/../secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/%2e%2e%2fsecret.txt",
    "/docs/..%5c..%5csecret.txt",
    "/escape.txt",
    "/up/secret.txt",
    "/up/site-two.txt",
    "/up/site/.env",
    "/.env",
    "/%2eenv",
    "/.git/config",
    "/docs/../.env",
    "/index.html%00.txt",
    "/%ff",
    "/%",
    "/loop",
    "/about.html/",
    "/index.html/x",
    "/docs/empty",
    "/docs/empty/",
    "/nothing.txt",
    `/${"a".repeat(5_000)}`,
    "*",
    "http://elsewhere/secret.txt",
  ])("never gives what is not the site's: %s", async (path) => {
    for (const site of [plain, app]) {
      const answer = await site.ask("GET", path);
      expect(answer.body).not.toContain("secret");
      expect(site === plain ? [400, 404] : [200, 400, 404]).toContain(answer.status);
    }
  });

  it("sends the page for what is missing, with 404", async () => {
    const answer = await plain.ask("GET", "/nothing");
    expect(answer).toMatchObject({ status: 404, body: "not here" });
    expect(answer.headers.etag).toBeUndefined();
  });

  it("falls back for pages, not for files, of a single-page app", async () => {
    expect(await app.ask("GET", "/users/1")).toMatchObject({ status: 200, body: "home" });
    expect(await app.ask("GET", "/users/1/")).toMatchObject({ status: 200, body: "home" });
    expect(await app.ask("GET", "/missing.js")).toMatchObject({ status: 404 });
  });

  it("redirects a folder to its slash, to nowhere else, keeping the query", async () => {
    const answer = await plain.ask("GET", "/docs?x=1");
    expect([answer.status, answer.headers.location]).toEqual([308, "/docs/?x=1"]);
    const sly = await plain.ask("GET", "//docs");
    expect([sly.status, sly.headers.location]).toEqual([308, "/docs/"]);
  });

  it("answers HEAD as GET without a body, and no other method", async () => {
    const get = await plain.ask("GET", "/about.html");
    const head = await plain.ask("HEAD", "/about.html");
    expect(head.body).toBe("");
    const { date: _one, ...getHeaders } = get.headers;
    const { date: _two, ...headHeaders } = head.headers;
    expect(headHeaders).toEqual(getHeaders);
    expect((await plain.ask("HEAD", "/missing.js")).status).toBe(404);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const answer = await plain.ask(method, "/about.html");
      expect([answer.status, answer.headers.allow]).toEqual([405, "GET, HEAD"]);
    }
  });

  it("answers 304 for what the reader has", async () => {
    const first = await plain.ask("GET", "/a%20b%25.txt");
    const tag = first.headers.etag ?? "";
    const modified = first.headers["last-modified"] ?? "";
    expect(modified).toBe(new Date(1_700_000_000_000).toUTCString());
    const ask = async (headers: Record<string, string>) =>
      (await plain.ask("GET", "/a%20b%25.txt", headers)).status;
    expect(await ask({ "if-none-match": tag })).toBe(304);
    expect(await ask({ "if-none-match": `"x", W/${tag}` })).toBe(304);
    expect(await ask({ "if-none-match": "*" })).toBe(304);
    expect(await ask({ "if-none-match": '"x"', "if-modified-since": modified })).toBe(200);
    expect(await ask({ "if-modified-since": modified })).toBe(304);
    expect(await ask({ "if-modified-since": new Date(0).toUTCString() })).toBe(200);
    expect(await ask({ "if-modified-since": "nonsense" })).toBe(200);
  });

  it("sends one range, and everything when the range is not for this file", async () => {
    const ask = async (range: string, more: Record<string, string> = {}) => {
      const { status, body, headers } = await plain.ask("GET", "/a%20b%25.txt", { range, ...more });
      return [status, body, headers["content-range"]];
    };
    const whole = [200, "0123456789", undefined];
    expect(await ask("bytes=2-4")).toEqual([206, "234", "bytes 2-4/10"]);
    expect(await ask("bytes=7-")).toEqual([206, "789", "bytes 7-9/10"]);
    expect(await ask("bytes=-3")).toEqual([206, "789", "bytes 7-9/10"]);
    expect(await ask("bytes=-300")).toEqual([206, "0123456789", "bytes 0-9/10"]);
    expect(await ask("bytes=5-300")).toEqual([206, "56789", "bytes 5-9/10"]);
    expect(await ask("bytes=10-")).toEqual([416, "", "bytes */10"]);
    expect(await ask("bytes=-0")).toEqual([416, "", "bytes */10"]);
    for (const odd of ["bytes=4-2", "bytes=-", "bytes=0-1,3-4", "lines=1-2", "bytes=x-y"]) {
      expect(await ask(odd)).toEqual(whole);
    }
    expect(await ask("bytes=0-0", { "if-range": '"old"' })).toEqual(whole);
    const tag = (await plain.ask("GET", "/a%20b%25.txt")).headers.etag ?? "";
    expect(await ask("bytes=0-0", { "if-range": tag })).toEqual([206, "0", "bytes 0-0/10"]);
    expect((await plain.ask("GET", "/empty.txt", { range: "bytes=0-" })).status).toBe(416);
  });

  it("does not fall over a reader who leaves in the middle", async () => {
    await writeFile(join(root, "big.bin"), Buffer.alloc(20_000_000));
    await new Promise<void>((resolve) => {
      const socket = connect(plain.port, "127.0.0.1", () =>
        socket.write("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n"),
      );
      socket.once("data", () => socket.destroy());
      socket.once("close", () => resolve());
    });
    expect(await plain.ask("GET", "/about")).toMatchObject({ status: 200 });
  });
});

interface Served {
  readonly server: Server;
  readonly port: number;
  ask(method: string, path: string, headers?: Record<string, string>): Promise<Answer>;
}

async function serve(site: Site): Promise<Served> {
  const server = createServer((request, response) => {
    serveFile(site, request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    server,
    port,
    ask: async (method, path, headers = {}) =>
      new Promise((resolve, reject) => {
        const asking = request(
          { port, host: "127.0.0.1", method, path, headers, agent: false },
          (response) => {
            let body = "";
            response.setEncoding("utf8");
            response.on("data", (chunk: string) => (body += chunk));
            response.on("end", () =>
              resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
            );
          },
        );
        asking.on("error", reject).end();
      }),
  };
}
