import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ask, openRaw, startApp, websocketRequest, type TestApp } from "../../test/support/edge-apps.ts";
import { startProxy } from "../../test/support/edge-proxy.ts";

type Address = TestApp["target"];

/** A free port nobody listens at. */
async function deadTarget(): Promise<Address> {
  await using app = await startApp("");
  return app.target;
}

function head(...lines: string[]): string {
  return `${lines.join("\r\n")}\r\n\r\n`;
}

describe("hostile requests", () => {
  const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n";
  const chunkedSmuggled = `0\r\n\r\n${smuggled}`;

  it.each([
    [
      "both framings",
      head("POST / HTTP/1.1", "Host: a.test", "Content-Length: 5", "Transfer-Encoding: chunked"),
    ],
    [
      "both framings, reversed",
      head("POST / HTTP/1.1", "Host: a.test", "Transfer-Encoding: chunked", "Content-Length: 5"),
    ],
    ["a coding before chunked", head("POST / HTTP/1.1", "Host: a.test", "Transfer-Encoding: gzip, chunked")],
    ["chunked not last", head("POST / HTTP/1.1", "Host: a.test", "Transfer-Encoding: chunked, identity")],
    [
      "chunked twice",
      head("POST / HTTP/1.1", "Host: a.test", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    ],
    ["an unknown coding", head("POST / HTTP/1.1", "Host: a.test", "Transfer-Encoding: xchunked")],
    ["a hidden coding", head("POST / HTTP/1.1", "Host: a.test", "Transfer-Encoding : chunked")],
    ["a folded coding", head("POST / HTTP/1.1", "Host: a.test", "Transfer-Encoding:", " chunked")],
    ["chunked in HTTP/1.0", head("POST / HTTP/1.0", "Host: a.test", "Transfer-Encoding: chunked")],
    ["two lengths", head("POST / HTTP/1.1", "Host: a.test", "Content-Length: 0", "Content-Length: 5")],
    ["a list of lengths", head("POST / HTTP/1.1", "Host: a.test", "Content-Length: 5, 5")],
    ["a signed length", head("POST / HTTP/1.1", "Host: a.test", "Content-Length: +5")],
    ["a negative length", head("POST / HTTP/1.1", "Host: a.test", "Content-Length: -1")],
    ["an endless length", head("POST / HTTP/1.1", "Host: a.test", "Content-Length: 99999999999999999999")],
    ["a bare line feed", "POST / HTTP/1.1\nHost: a.test\nContent-Length: 0\n\n"],
    ["a zero byte", head("GET / HTTP/1.1", "Host: a.test", "X-A: a\0b")],
    ["a bare carriage return", head("GET / HTTP/1.1", "Host: a.test", "X-A: a\rTransfer-Encoding: chunked")],
    ["no host", head("GET / HTTP/1.1")],
    ["no host in HTTP/1.0", head("GET / HTTP/1.0")],
    ["two hosts", head("GET / HTTP/1.1", "Host: a.test", "Host: b.test")],
    ["twice the same host", head("GET / HTTP/1.1", "Host: a.test", "host: a.test")],
    ["a host with a path", head("GET / HTTP/1.1", "Host: a.test/x")],
    ["a host with a user", head("GET / HTTP/1.1", "Host: user@a.test")],
    ["a list of hosts", head("GET / HTTP/1.1", "Host: a.test, b.test")],
    ["another host in the target", head("GET http://b.test/ HTTP/1.1", "Host: a.test")],
    ["a user in the target", head("GET http://a.test@b.test/ HTTP/1.1", "Host: b.test")],
    ["a target without a slash", head("GET a.test HTTP/1.1", "Host: a.test")],
    ["an asterisk to read", head("GET * HTTP/1.1", "Host: a.test")],
    ["a byte above 127 in the path", head("GET /caf\u00e9 HTTP/1.1", "Host: a.test")],
    [
      "a websocket with a body",
      head(
        "GET / HTTP/1.1",
        "Host: a.test",
        "Connection: upgrade",
        "Upgrade: websocket",
        "Content-Length: 5",
      ),
    ],
  ])("refuses %s and reads nothing after it", async (_, hostile) => {
    await using app = await startApp("ok");
    await using proxy = await startProxy([app.target]);
    await using client = await openRaw(proxy.address, hostile + chunkedSmuggled);
    expect((await client.ended()).split("\r\n")[0]).toBe("HTTP/1.1 400 Bad Request");
    expect(app.seen).toEqual([]);
  });

  it("cuts a body whose chunks are broken, in the middle of the upload", async () => {
    await using app = await startApp("", (incoming) => void incoming.resume());
    await using proxy = await startProxy([app.target]);
    const begin = head("POST / HTTP/1.1", "Host: a.test", "Transfer-Encoding: chunked");
    await using client = await openRaw(proxy.address, `${begin}3\r\nabc\r\nZZ\r\n${smuggled}`);
    await client.ended();
    await expect.poll(() => app.connections.size).toBe(0);
    expect(app.seen.join()).not.toContain("smuggled");
  });

  it("refuses a tunnel", async () => {
    await using proxy = await startProxy([]);
    await using client = await openRaw(
      proxy.address,
      head("CONNECT a.test:443 HTTP/1.1", "Host: a.test:443"),
    );
    expect(await client.ended()).toContain("405 Method Not Allowed");
  });

  it("refuses a head of more than 32 KB, and passes one of a thousand headers on whole", async () => {
    let count = 0;
    await using app = await startApp("", (incoming, response) => {
      count = incoming.rawHeaders.length / 2;
      response.end("ok");
    });
    await using proxy = await startProxy([app.target]);
    expect((await ask(proxy.address, "a.test", { headers: { "x-a": "a".repeat(40_000) } })).status).toBe(431);
    const many = Object.fromEntries(Array.from({ length: 950 }, (_, i) => [`x-${i}`, "v"]));
    expect((await ask(proxy.address, "a.test", { headers: many })).body).toBe("ok");
    expect(count).toBeGreaterThan(950);
  });

  it("closes a connection whose head does not come in time", async () => {
    await using proxy = await startProxy([], { headersMs: 200 });
    await using client = await openRaw(proxy.address, "GET / HTTP/1.1\r\nHost: a.");
    expect(await client.ended()).toContain("408 Request Timeout");
  });

  it("answers pipelined requests in their order", async () => {
    await using app = await startApp("", (incoming, response) => {
      setTimeout(() => response.end(`<${incoming.url}>`), incoming.url === "/1" ? 100 : 0);
    });
    await using proxy = await startProxy([app.target]);
    const one = (path: string): string => head(`GET ${path} HTTP/1.1`, "Host: a.test");
    await using client = await openRaw(proxy.address, one("/1") + one("/2") + one("/3"));
    const heard = await client.until("</3>");
    expect(heard.match(/<\/\d>/g)).toEqual(["</1>", "</2>", "</3>"]);
  });
});

describe("routing", () => {
  it.each(["A.TEST", "a.test:8080", "a.test.", "a.test.:80"])(
    "finds a.test as %s and leaves the header alone",
    async (host) => {
      await using app = await startApp("", (incoming, response) => response.end(incoming.headers.host));
      await using proxy = await startProxy([app.target]);
      expect((await ask(proxy.address, host)).body).toBe(host);
    },
  );

  it("takes the absolute form for what it means", async () => {
    await using app = await startApp("ok");
    await using proxy = await startProxy([app.target]);
    for (const path of ["http://a.test/x?y", "http://A.test:80?y", "http://a.test", "*"]) {
      const method = path === "*" ? "OPTIONS" : "GET";
      expect((await ask(proxy.address, "a.test", { path, method })).status).toBe(200);
    }
    expect(app.seen).toEqual(["GET /x?y", "GET /?y", "GET /", "OPTIONS *"]);
  });

  it("explains itself to browsers and to programs", async () => {
    await using proxy = await startProxy([]);
    const plain = await ask(proxy.address, "b.test");
    expect(plain).toMatchObject({ status: 404, body: "Nothing here: No app is deployed at this address.\n" });
    expect(plain.headers).toMatchObject({ "x-fairlead": "no-route", "cache-control": "no-store" });
    const browser = await ask(proxy.address, "b.test", { headers: { accept: "text/html,*/*" } });
    expect(browser.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(browser.body).toContain("<h1>Nothing here</h1>");
    const empty = await ask(proxy.address, "a.test", { method: "POST", body: "x" });
    expect(empty).toMatchObject({ status: 503 });
    expect(empty.headers["x-fairlead"]).toBe("no-targets");
    expect((await ask(proxy.address, "a.test", { method: "HEAD" })).body).toBe("");
    expect(proxy.counters.all()).toMatchObject({ "": { "4xx": 2 }, "a.test": { "5xx": 2 } });
  });

  it.each([
    ["a length of nothing", 200, { "content-length": "0" }],
    ["no content", 204, {}],
    ["not modified, with the length of what was not sent", 304, { "content-length": "5" }],
  ] as const)("brings an answer to its end that has no body: %s", async (_, status, headers) => {
    await using app = await startApp("", (_incoming, response) => response.writeHead(status, headers).end());
    await using proxy = await startProxy([app.target]);
    for (const method of ["GET", "HEAD"])
      expect(await ask(proxy.address, "a.test", { method })).toMatchObject({ status, body: "" });
    await expect.poll(() => proxy.underway(app.target)).toBe(0);
  });

  it("spreads requests over targets", async () => {
    const hold = Promise.withResolvers<void>();
    const listener: Parameters<typeof startApp>[1] = (_, response) =>
      void hold.promise.then(() => response.end());
    await using one = await startApp("", listener);
    await using two = await startApp("", listener);
    await using proxy = await startProxy([one.target, two.target]);
    const answers = Array.from({ length: 10 }, () => ask(proxy.address, "a.test"));
    await expect.poll(() => [one.seen.length, two.seen.length]).toEqual([5, 5]);
    hold.resolve();
    await Promise.all(answers);
  });
});

describe("websockets", () => {
  it("passes the app's refusal on as an ordinary answer", async () => {
    await using app = await startApp("");
    await using proxy = await startProxy([app.target]);
    await using client = await openRaw(proxy.address, websocketRequest("a.test", "/refuse"));
    const heard = await client.ended();
    expect(heard).toContain("HTTP/1.1 403 Forbidden");
    expect(heard).toMatch(/x-app: yes/i);
    expect(heard.endsWith("no")).toBe(true);
  });

  it("answers with its own pages when there is no app", async () => {
    await using proxy = await startProxy([await deadTarget()]);
    await using lost = await openRaw(proxy.address, websocketRequest("b.test"));
    expect(await lost.ended()).toContain("404 Not Found");
    await using dead = await openRaw(proxy.address, websocketRequest("a.test"));
    expect(await dead.ended()).toContain("502 Bad Gateway");
  });

  it("sends nothing of a client on before the app has agreed", async () => {
    await using app = await startApp("");
    await using proxy = await startProxy([app.target]);
    const smuggled = head("GET /smuggled HTTP/1.1", "Host: a.test");
    await using client = await openRaw(proxy.address, websocketRequest("a.test", "/refuse") + smuggled);
    await client.ended();
    expect(app.seen).toEqual(["GET /refuse"]);
    await using eager = await openRaw(proxy.address, `${websocketRequest("a.test")}early`);
    await eager.until("hiearly");
  });

  it("serves a request for any other protocol as if it had not asked", async () => {
    let upgrade: string | undefined = "unset";
    await using app = await startApp("", (incoming, response) => {
      ({ upgrade } = incoming.headers);
      response.end("plain");
    });
    await using proxy = await startProxy([app.target]);
    const headers = { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AAMAAABk" };
    expect((await ask(proxy.address, "a.test", { headers })).body).toBe("plain");
    expect(upgrade).toBeUndefined();
  });

  it("closes one side when the other goes", async () => {
    await using app = await startApp("");
    await using proxy = await startProxy([app.target]);
    await using leaving = await openRaw(proxy.address, websocketRequest("a.test"));
    await leaving.until("hi");
    leaving.socket.destroy();
    await expect.poll(() => app.connections.size).toBe(0);
    await using left = await openRaw(proxy.address, websocketRequest("a.test"));
    await left.until("hi");
    for (const socket of app.connections) socket.destroy();
    await left.ended();
    await expect.poll(() => proxy.underway(app.target)).toBe(0);
    await expect.poll(() => proxy.counters.all()["a.test"]?.["1xx"]).toBe(2);
  });
});

describe("second tries", () => {
  it("takes another target when one does not answer the door, for any request", async () => {
    await using app = await startApp("", (incoming, response) => void incoming.pipe(response));
    const dead = await deadTarget();
    await using proxy = await startProxy([dead, app.target]);
    for (let i = 0; i < 6; i++) {
      expect((await ask(proxy.address, "a.test", { method: "POST", body: `body ${i}` })).body).toBe(
        `body ${i}`,
      );
    }
    expect(app.seen).toHaveLength(6);
  });

  it("finds the new target when the switch happens between two tries", async () => {
    await using app = await startApp("new");
    await using proxy = await startProxy([await deadTarget()]);
    const answer = ask(proxy.address, "a.test");
    await sleep(60);
    proxy.point([app.target]);
    expect((await answer).body).toBe("new");
  });

  it("gives up in about a second", async () => {
    await using proxy = await startProxy([await deadTarget()]);
    const since = performance.now();
    const answer = await ask(proxy.address, "a.test");
    expect(answer).toMatchObject({ status: 502 });
    expect(answer.headers["x-fairlead"]).toBe("bad-gateway");
    expect(performance.now() - since).toBeLessThan(2000);
  });

  it("repeats a GET whose kept connection was closed by the app, and nobody notices", async () => {
    let first = true;
    await using app = await startApp("", (incoming, response) => {
      if (first) response.end("one");
      else if (incoming.url === "/again" && incoming.headers.connection === "keep-alive")
        incoming.socket.destroy();
      else response.end("two");
      first = false;
    });
    await using proxy = await startProxy([app.target]);
    expect((await ask(proxy.address, "a.test")).body).toBe("one");
    expect((await ask(proxy.address, "a.test", { path: "/again" })).body).toBe("two");
    expect(app.seen).toEqual(["GET /", "GET /again", "GET /again"]);
  });

  it.each(["POST", "PUT", "PATCH", "DELETE"])(
    "never sends a %s twice that may have arrived",
    async (method) => {
      await using app = await startApp(
        "",
        (incoming) => void incoming.on("data", () => incoming.socket.destroy()),
      );
      await using proxy = await startProxy([app.target]);
      const headers = { "content-length": "4" };
      const answer = await ask(proxy.address, "a.test", { method, body: "once", headers });
      expect(answer.status).toBe(502);
      expect(app.seen).toEqual([`${method} /`]);
    },
  );

  it("lets a slow app have its time, but not for ever", async () => {
    await using app = await startApp("", () => {});
    await using proxy = await startProxy([app.target], { answerMs: 200 });
    const answer = await ask(proxy.address, "a.test");
    expect(answer.status).toBe(504);
    await expect.poll(() => app.connections.size).toBe(0);
  });
});

describe("kept connections", () => {
  it("serves many requests over few connections", async () => {
    await using app = await startApp("ok");
    await using proxy = await startProxy([app.target]);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 20; i++) await ask(proxy.address, "a.test", { agent });
    expect(app.connections.size).toBe(1);
    agent.destroy();
  });
});
