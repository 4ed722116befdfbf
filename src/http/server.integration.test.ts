import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { expect, test, vi } from "vitest";
import { API_TOKEN, startTestServer } from "../../test/support/http-server.ts";
import { app, deployment, fakeServices } from "../../test/support/services.ts";
import type { LogLine } from "../deployments/deployments.ts";
import { Fault } from "../faults/fault.ts";
import { sleep, deadline } from "../kernel/clock.ts";
import { waitUntil } from "../kernel/retry.ts";

const headers = { authorization: `Bearer ${API_TOKEN}` };
const soon = (): { everyMs: number; signal: AbortSignal } => ({ everyMs: 5, signal: deadline(5000) });

async function readAll(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (part) => (text += part.toString()));
  socket.on("error", () => {});
  // Not `once`: it throws away what was read when the other side resets the connection.
  await new Promise((resolve) => socket.on("close", resolve));
  return text;
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

/** A log that says `lines`, then waits until its signal aborts, and tells that it did. */
function endless(lines: number) {
  const seen = { ended: false, given: 0 };
  const logs = async function* (_id: string, { signal }: { signal: AbortSignal }): AsyncGenerator<LogLine> {
    try {
      for (let seq = 1; seq <= lines && !signal.aborted; seq++) {
        seen.given = seq;
        yield { seq, at: new Date(), text: "x".repeat(1000) };
      }
      await sleep(60_000, signal);
    } finally {
      seen.ended = true;
    }
  };
  return { logs, seen };
}

const FIRST_LINES = "POST /hooks/gitlab/h HTTP/1.1\r\nhost: x\r\n";
const MB_CHUNK = `100000\r\n${"x".repeat(0x10_0000)}\r\n`;

test("a body that says it is too long is refused before it comes", async () => {
  const services = fakeServices({ pushes: { knows: async () => true } });
  await using server = await startTestServer({ services });
  const socket = await open(server.port);
  socket.write(`${FIRST_LINES}content-length: ${26 * 2 ** 20 + 1}\r\n\r\n`);
  const [answer] = (await once(socket, "data", { signal: deadline(5000) })) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
  socket.destroy();
});

test.each(["content-length: 62914560", "transfer-encoding: chunked"])(
  "a sender that reads the answer only after it has sent everything (%s) gets its 413",
  async (length) => {
    const accept = vi.fn();
    await using server = await startTestServer({
      services: fakeServices({ pushes: { accept, knows: async () => true } }),
    });
    const socket = await open(server.port);
    const answer = readAll(socket);
    socket.write(`${FIRST_LINES}${length}\r\nconnection: close\r\n\r\n`);
    const piece = length.startsWith("c") ? "x".repeat(2 ** 20) : MB_CHUNK;
    for (let sent = 0; sent < 60; sent++) socket.write(piece);
    socket.end(length.startsWith("c") ? "" : "0\r\n\r\n");
    expect(await answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(accept).not.toHaveBeenCalled();
  },
);

test("who does not know a hook's path is answered before the body comes", async () => {
  const services = fakeServices({ pushes: { knows: async (path) => path !== "h" } });
  await using server = await startTestServer({ services });
  const socket = await open(server.port);
  socket.write(`${FIRST_LINES}content-length: 20000000\r\n\r\n`);
  const [answer] = (await once(socket, "data", { signal: deadline(5000) })) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 404 /);
  socket.destroy();
});

test("fetch gets the 413 too", async () => {
  const services = fakeServices({ pushes: { knows: async () => true } });
  await using server = await startTestServer({ services });
  const body = new Uint8Array(40 * 2 ** 20);
  expect((await fetch(`${server.url}/hooks/gitlab/h`, { method: "POST", body })).status).toBe(413);
});

test("an endless body is cut off", async () => {
  const accept = vi.fn();
  await using server = await startTestServer({
    requestTimeoutMs: 500,
    services: fakeServices({ pushes: { accept, knows: async () => true } }),
  });
  const socket = await open(server.port);
  const closed = readAll(socket);
  socket.write(`${FIRST_LINES}transfer-encoding: chunked\r\n\r\n`);
  const send = (): void => {
    while (!socket.destroyed && socket.write(MB_CHUNK));
  };
  socket.on("drain", send);
  send();
  await closed;
  expect(accept).not.toHaveBeenCalled();
});

test("a body that drips in is given up", async () => {
  const accept = vi.fn();
  await using server = await startTestServer({
    requestTimeoutMs: 200,
    services: fakeServices({ pushes: { accept, knows: async () => true } }),
  });
  const socket = await open(server.port);
  const answer = readAll(socket);
  socket.write(`${FIRST_LINES}content-length: 1000\r\n\r\n`);
  const drip = setInterval(() => socket.write("x"), 20);
  expect(await answer).toMatch(/^HTTP\/1\.1 408 /);
  clearInterval(drip);
  expect(accept).not.toHaveBeenCalled();
});

test("a sender who goes away in the middle of a body harms nothing", async () => {
  const accept = vi.fn(async () => ({ kind: "accepted", deliveryId: "dlv_1" }) as const);
  await using server = await startTestServer({
    services: fakeServices({ pushes: { accept, knows: async () => true } }),
  });
  const socket = await open(server.port);
  socket.write(`${FIRST_LINES}content-length: 1000\r\n\r\nhalf`);
  socket.resetAndDestroy();
  const answer = await fetch(`${server.url}/hooks/gitlab/h`, { method: "POST", body: "{}" });
  expect(answer.status).toBe(202);
  expect(accept).toHaveBeenCalledTimes(1);
});

test("a request without a host is not for us", async () => {
  await using server = await startTestServer();
  const socket = await open(server.port);
  socket.write(`GET /api/v1/apps HTTP/1.0\r\nauthorization: Bearer ${API_TOKEN}\r\n\r\n`);
  expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 400 /);
});

test("a log ends with `end`, resumes after a line, and an error on the way is an event", async () => {
  const lines = [1, 2, 3].map((seq) => ({ seq, at: new Date(0), text: `line ${seq}\nstill ${seq}` }));
  const logs = async function* (id: string): AsyncGenerator<LogLine> {
    yield* lines;
    if (id === "dep_bad") throw Fault.of("DATABASE_UNAVAILABLE", "");
  };
  const get = async (id: string) => ({ ...deployment, id });
  await using server = await startTestServer({ services: fakeServices({ deployments: { get, logs } }) });
  const read = async (id: string, more = {}) =>
    (await fetch(`${server.url}/api/v1/deployments/${id}/logs`, { headers: { ...headers, ...more } })).text();
  const whole = await read("dep_1");
  expect(whole).toContain(
    'id: 1\nevent: line\ndata: {"seq":1,"at":"1970-01-01T00:00:00.000Z","text":"line 1\\nstill 1"}\n\n',
  );
  expect(whole).toMatch(/event: end\ndata: \{\}\n\n$/);
  const rest = await read("dep_1", { "last-event-id": "2" });
  expect([...rest.matchAll(/^id: (\d+)/gm)].map((match) => match[1])).toEqual(["3"]);
  const broken = await read("dep_bad");
  expect(broken).toMatch(/event: fault\ndata: .*"code":"DATABASE_UNAVAILABLE"/);
  expect(broken).not.toContain("event: end");
});

test("a log of nothing that exists is an ordinary 404", async () => {
  const get = () => Promise.reject(Fault.of("NOT_FOUND", ""));
  await using server = await startTestServer({ services: fakeServices({ deployments: { get } }) });
  expect((await fetch(`${server.url}/api/v1/deployments/x/logs`, { headers })).status).toBe(404);
});

test("following starts at once, and ends when the client goes", async () => {
  const { logs, seen } = endless(0);
  await using server = await startTestServer({
    services: fakeServices({ deployments: { get: async () => deployment, logs } }),
  });
  const client = new AbortController();
  const answer = await fetch(`${server.url}/api/v1/deployments/dep_1/logs?follow=true`, {
    headers,
    signal: client.signal,
  });
  expect(answer.headers.get("content-type")).toContain("text/event-stream");
  expect(seen.ended).toBe(false);
  client.abort();
  await waitUntil(() => seen.ended, soon());
});

test("a client that does not read is not read for", async () => {
  const { logs, seen } = endless(100_000);
  await using server = await startTestServer({
    services: fakeServices({ deployments: { get: async () => deployment, logs } }),
  });
  const request = httpRequest(`${server.url}/api/v1/deployments/dep_1/logs?follow=true`, { headers });
  request.end();
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  answer.pause();
  let before = -1;
  await waitUntil(
    () => {
      const still = seen.given === before;
      before = seen.given;
      return still;
    },
    { everyMs: 300, signal: deadline(20_000) },
  );
  expect(seen.given).toBeLessThan(50_000);
  request.destroy();
  await waitUntil(() => seen.ended, soon());
});

test("stopping the server breaks streams off without `end` and takes no time", async () => {
  const { logs, seen } = endless(1);
  const runLogs = async function* (): AsyncGenerator<string> {
    await new Promise(() => {}); // a service that does not listen to its signal must not hold the server
    yield "";
  };
  const services = fakeServices({
    apps: { get: async () => app },
    deployments: { get: async () => deployment, logs, runLogs },
  });
  const server = await startTestServer({ services });
  const [build, output] = await Promise.all(
    ["deployments/dep_1", "apps/shop"].map((what) =>
      fetch(`${server.url}/api/v1/${what}/logs?follow=true`, { headers }),
    ),
  );
  const bodies = Promise.all([build!.text(), output!.text()]);
  const started = Date.now();
  await server.server.close();
  expect(Date.now() - started).toBeLessThan(2000);
  expect(seen.ended).toBe(true);
  expect((await bodies).join("")).not.toContain("event: end");
});

test("a connection that only waits does not hold the server when it stops", async () => {
  const server = await startTestServer();
  const socket = await open(server.port);
  socket.on("error", () => {});
  await fetch(`${server.url}/healthz`);
  const started = Date.now();
  await server.server.close();
  expect(Date.now() - started).toBeLessThan(6000);
  socket.destroy();
});
