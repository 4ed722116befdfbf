import { once } from "node:events";
import { request, type IncomingMessage, type ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { ask, openRaw, startApp } from "../../test/support/edge-apps.ts";
import { startProxy } from "../../test/support/edge-proxy.ts";

/** More than all socket buffers on the way hold. */
const MUCH = 64 * 1024 * 1024;
const MOST_BUFFERED = 24 * 1024 * 1024;

const get = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";

describe("headers", () => {
  it("tells the app who asks, and believes nobody else", async () => {
    let seen: IncomingMessage["headers"] = {};
    await using app = await startApp("", (incoming, response) => {
      seen = incoming.headers;
      response.end();
    });
    await using proxy = await startProxy([app.target]);
    await ask(proxy.address, "a.test", {
      headers: {
        "X-Forwarded-For": "6.6.6.6",
        X_Forwarded_For: "6.6.6.6",
        "x-real_ip": "6.6.6.6",
        "x-forwarded-proto": "https",
        "X-Forwarded-Host": "evil.test",
        "x-forwarded-port": "1",
        "x-real-ip": "6.6.6.6",
        forwarded: "for=6.6.6.6",
        connection: "X-Secret, X-Forwarded-For, Host, keep-alive",
        "keep-alive": "timeout=1",
        "proxy-authorization": "Basic x",
        "x-secret": "hop",
        te: "trailers",
        "x-kept": "yes",
        cookie: ["a=1", "b=2"],
      },
    });
    expect(seen).toEqual({
      host: "a.test",
      "x-kept": "yes",
      cookie: "a=1; b=2",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-host": "a.test",
      "x-forwarded-proto": "http",
      connection: "keep-alive",
    });
  });

  it("believes another proxy of ours in front, and adds itself", async () => {
    let seen: IncomingMessage["headers"] = {};
    await using app = await startApp("", (incoming, response) => {
      seen = incoming.headers;
      response.end();
    });
    await using proxy = await startProxy([app.target], {}, true);
    const headers = {
      "x-forwarded-for": "192.0.2.7",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "shop.example",
    };
    await ask(proxy.address, "a.test", { headers: { ...headers, "x-real-ip": "6.6.6.6" } });
    expect(seen).toMatchObject({ ...headers, "x-forwarded-for": "192.0.2.7, 127.0.0.1" });
    expect(seen).not.toHaveProperty("x-real-ip");
    await ask(proxy.address, "a.test");
    expect(seen).toMatchObject({ "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http" });
  });

  it("gives back what the app says, each header as often as it was said, in whatever bytes", async () => {
    await using app = await startApp("", (incoming) => {
      incoming.socket.end(
        "HTTP/1.1 299 Odd\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Name: caf\u00e9\r\nKeep-Alive: timeout=9\r\n" +
          "X-Hop: 1\r\nConnection: close, X-Hop\r\nContent-Length: 2\r\n\r\nok",
        "latin1",
      );
    });
    await using proxy = await startProxy([app.target]);
    const answer = await ask(proxy.address, "a.test");
    expect(answer).toMatchObject({ status: 299, body: "ok" });
    expect(answer.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    expect(answer.headers["x-name"]).toBe("caf\u00e9");
    expect(answer.headers).not.toHaveProperty("x-hop");
  });

  it.each([
    ["HEAD", 200, { "content-length": "5000" }, "content-length: 5000"],
    ["HEAD", 200, { "transfer-encoding": "chunked" }, ""],
    ["GET", 204, {}, ""],
    ["GET", 304, { "content-length": "5000", etag: "x" }, "etag: x"],
  ])(
    "answers %s with %i and no body, on a connection that goes on",
    async (method, status, headers, line) => {
      await using app = await startApp("", (_, response) => response.writeHead(status, headers).end());
      await using proxy = await startProxy([app.target]);
      const text = `${method} / HTTP/1.1\r\nHost: a.test\r\n\r\n`;
      await using client = await openRaw(proxy.address, text);
      await client.until("\r\n\r\n");
      client.socket.write(text);
      await expect.poll(() => client.heard().match(/HTTP\/1\.1 /g)).toHaveLength(2);
      expect(client.heard()).toMatch(/\r\n\r\nHTTP\/1\.1 [^]*\r\n\r\n$/);
      expect(client.heard()).toContain(line);
    },
  );

  it("carries trailers", async () => {
    await using app = await startApp("", (_, response) => {
      response.writeHead(200, { trailer: "x-sum" });
      response.write("body");
      response.addTrailers({ "x-sum": "42" });
      response.end();
    });
    await using proxy = await startProxy([app.target]);
    expect((await ask(proxy.address, "a.test")).trailers).toEqual({ "x-sum": "42" });
  });

  it("serves clients of HTTP/1.0", async () => {
    await using app = await startApp("", (_, response) => {
      response.write("in ");
      response.end("chunks");
    });
    await using proxy = await startProxy([app.target]);
    await using client = await openRaw(proxy.address, "GET / HTTP/1.0\r\nHost: a.test\r\n\r\n");
    expect(await client.ended()).toMatch(/\r\n\r\nin chunks$/);
  });

  it("asks for the body when the client waits to be asked", async () => {
    await using app = await startApp("", (incoming, response) => void incoming.pipe(response));
    await using proxy = await startProxy([app.target]);
    const text = "POST / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    await using client = await openRaw(proxy.address, text);
    await client.until("HTTP/1.1 100 Continue\r\n\r\n");
    client.socket.write("body");
    expect(await client.until("body")).toContain("HTTP/1.1 200 OK");
  });
});

describe("streams", () => {
  it("sends an event stream's head and each event at once", async () => {
    const opened = Promise.withResolvers<ServerResponse>();
    await using app = await startApp("", (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      opened.resolve(response);
    });
    await using proxy = await startProxy([app.target]);
    await using client = await openRaw(proxy.address, get);
    await client.until("text/event-stream");
    const events = await opened.promise;
    events.write("data: one\n\n");
    await client.until("data: one");
    events.write("data: two\n\n");
    expect(await client.until("data: two")).toMatch(/transfer-encoding: chunked/i);
    client.socket.destroy();
    await once(events, "close");
  });

  it("sends the head of an answer of known length before its body has come", async () => {
    const opened = Promise.withResolvers<ServerResponse>();
    await using app = await startApp("", (_, response) => {
      response.writeHead(200, { "content-length": 4 }).flushHeaders();
      opened.resolve(response);
    });
    await using proxy = await startProxy([app.target]);
    await using client = await openRaw(proxy.address, get);
    await client.until("\r\n\r\n");
    (await opened.promise).end("late");
    expect(await client.until("late")).toMatch(/\r\n\r\nlate$/);
  });

  it("reads from the app no faster than the client reads", async () => {
    let sent = 0;
    await using app = await startApp("", (_, response) => {
      const piece = Buffer.alloc(64 * 1024);
      const more = (): void => {
        while (sent < MUCH) {
          sent += piece.length;
          if (!response.write(piece)) return void response.once("drain", more);
        }
        response.end();
      };
      more();
    });
    await using proxy = await startProxy([app.target]);
    await using client = await openRaw(proxy.address);
    client.socket.pause();
    client.socket.write(get);
    expect(await settled(() => sent)).toBeLessThan(MOST_BUFFERED);
    let received = 0;
    client.socket.on("data", (piece: string) => (received += piece.length));
    client.socket.resume();
    await expect.poll(() => received, { timeout: 20_000 }).toBeGreaterThan(MUCH);
  });

  it("reads from the client no faster than the app reads", async () => {
    let received = 0;
    const arrived = Promise.withResolvers<IncomingMessage>();
    await using app = await startApp("", (incoming, response) => {
      arrived.resolve(incoming.pause());
      incoming.on("end", () => response.end(String(received)));
    });
    await using proxy = await startProxy([app.target]);
    const outgoing = request({
      ...proxy.address,
      method: "PUT",
      headers: { host: "a.test", "content-length": MUCH },
    });
    let sent = 0;
    const piece = Buffer.alloc(64 * 1024);
    const more = (): void => {
      while (sent < MUCH) {
        sent += piece.length;
        if (!outgoing.write(piece)) return void outgoing.once("drain", more);
      }
      outgoing.end();
    };
    more();
    const incoming = await arrived.promise;
    expect(await settled(() => sent)).toBeLessThan(MOST_BUFFERED);
    incoming.on("data", (part: Buffer) => (received += part.length)).resume();
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    expect(String((await answer.toArray())[0])).toBe(String(MUCH));
  });

  it("stops the app's work when the client goes away", async () => {
    const gone = Promise.withResolvers<void>();
    await using app = await startApp("", (_, response) => {
      response.write("begin");
      response.on("close", () => gone.resolve());
    });
    await using proxy = await startProxy([app.target]);
    await using client = await openRaw(proxy.address, get);
    await client.until("begin");
    client.socket.destroy();
    await gone.promise;
    await expect.poll(() => proxy.underway(app.target)).toBe(0);
  });

  it("stops the app's work when the client goes away before any answer, or in its upload", async () => {
    let left = 0;
    await using app = await startApp("", (_, response) => void response.on("close", () => (left += 1)));
    await using proxy = await startProxy([app.target]);
    await using waiting = await openRaw(proxy.address, get);
    await using sending = await openRaw(
      proxy.address,
      "PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 99\r\n\r\npart",
    );
    await expect.poll(() => app.seen).toHaveLength(2);
    waiting.socket.destroy();
    sending.socket.destroy();
    await expect.poll(() => left).toBe(2);
    await expect.poll(() => proxy.underway(app.target)).toBe(0);
  });

  it.each([
    ["of known length", { "content-length": "100" }],
    ["in chunks", {}],
  ])("does not let a broken answer %s look like a whole one", async (_, headers) => {
    await using app = await startApp("", (incoming, response) => {
      response.writeHead(200, headers);
      response.write("half");
      setTimeout(() => incoming.socket.destroy(), 20);
    });
    await using proxy = await startProxy([app.target]);
    await expect(ask(proxy.address, "a.test")).rejects.toThrow(/aborted|reset|hang up/i);
    expect(app.seen).toEqual(["GET /"]);
  });

  it("passes on an answer that comes before the upload has ended", async () => {
    await using app = await startApp("", (_, response) => {
      response.writeHead(413, { connection: "close" }).end("too large");
    });
    await using proxy = await startProxy([app.target]);
    const text = `PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${MUCH}\r\n\r\n`;
    await using client = await openRaw(proxy.address, text);
    expect(await client.until("too large")).toContain("413 Payload Too Large");
    await expect.poll(() => app.connections.size).toBe(0);
  });

  it("answers 502 when the app speaks something else", async () => {
    await using app = await startApp("", (incoming) => void incoming.socket.end("SSH-2.0-OpenSSH_9.9\r\n"));
    await using proxy = await startProxy([app.target]);
    expect((await ask(proxy.address, "a.test", { method: "POST" })).status).toBe(502);
  });
});

/** The value once it has not changed for half a second. */
async function settled(value: () => number): Promise<number> {
  for (let last = -1; ;) {
    const now = value();
    if (now === last && now > 0) return now;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
