import { once } from "node:events";
import { open } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ask, openRaw, startApp, websocketRequest, type TestApp } from "../../test/support/edge-apps.ts";
import { createEdgeHome } from "../../test/support/edge-process.ts";
import { launch } from "../kernel/run.ts";
import { connectEdge } from "./client.ts";
import { edgeFiles } from "./edge-files.ts";

type Address = TestApp["target"];

/** The edge process serves the apps of everybody: neither a client nor one app may end it. `a.test` is the victim, `b.test` is the attacker's app. */
async function survives(attacker: Address, hit: (edge: Address) => Promise<void>): Promise<boolean> {
  await using home = await createEdgeHome();
  await using victim = await startApp("ok");
  const edge = await home.supervise();
  const route = { environmentId: "env", releaseId: "rel", generation: 1 };
  await edge.switchRoute({ ...route, host: "a.test", targets: [victim.target] });
  await edge.switchRoute({ ...route, host: "b.test", targets: [attacker] });
  const { pid } = await edge.status();
  await hit(await edge.address());
  const { body } = await ask(await edge.address(), "a.test");
  return body === "ok" && (await edge.status()).pid === pid;
}

/** An app that answers every request word for word, and keeps the connection. */
async function startRawApp(answer: string): Promise<{ readonly target: Address } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("data", () => socket.write(answer, "latin1"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    target: { host: "127.0.0.1", port },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe("the edge outlives", () => {
  it("a client that resets its connection after asking for a tunnel or a websocket", async () => {
    await using app = await startApp("");
    const survived = await survives(app.target, async (edge) => {
      for (const [index, text] of [
        "CONNECT b.test:443 HTTP/1.1\r\nHost: b.test\r\n\r\n",
        websocketRequest("b.test"),
        websocketRequest("nobody.test"),
        websocketRequest("b.test", "/refuse"),
      ].entries()) {
        for (let round = 0; round < 15; round++) {
          const socket = connect(edge.port, edge.host);
          socket.on("error", () => {});
          await once(socket, "connect");
          socket.write(index % 2 === 0 ? text : `${text}${"x".repeat(50_000)}`);
          await sleep(round % 5);
          socket.resetAndDestroy();
        }
      }
    });
    expect(survived).toBe(true);
  });

  it("a websocket request sent behind one that has no answer yet", async () => {
    await using app = await startApp("", (_, response) => void setTimeout(() => response.end("late"), 200));
    const survived = await survives(app.target, async (edge) => {
      const first = "GET / HTTP/1.1\r\nHost: b.test\r\n\r\n";
      for (const second of [websocketRequest("b.test"), websocketRequest("nobody.test")]) {
        await using client = await openRaw(edge, first + second);
        await client.ended();
      }
    });
    expect(survived).toBe(true);
  });

  it("a full disk behind its log", async () => {
    await using home = await createEdgeHome();
    await using full = await open("/dev/full", "w");
    const child = launch(process.execPath, [home.entry, "__edge", home.dataDir, "127.0.0.1", "0"], {
      env: {},
      output: { stdout: full.fd, stderr: full.fd },
    });
    try {
      const edge = connectEdge({ socketPath: edgeFiles(home.dataDir).socket, patienceMs: 20_000 });
      const { address } = await edge.status();
      expect((await ask(address, "nobody.test")).status).toBe(404);
    } finally {
      child.kill("SIGKILL");
      await child.ended;
    }
  });

  it.each([
    ["a status below 100", "HTTP/1.1 000 None\r\nContent-Length: 2\r\n\r\nhi"],
    ["a status of 99", "HTTP/1.1 099 None\r\nContent-Length: 2\r\n\r\nhi"],
    ["a bare 101", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
    [
      "an upgrade nobody asked for",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhi",
    ],
  ])("an app that answers with %s, which is a bad gateway", async (_, answer) => {
    await using app = await startRawApp(answer);
    const survived = await survives(app.target, async (edge) => {
      expect((await ask(edge, "b.test")).status).toBe(502);
      expect((await ask(edge, "b.test", { method: "POST", body: "x" })).status).toBe(502);
    });
    expect(survived).toBe(true);
  });
});
