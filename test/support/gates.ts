import { createServer, type ServerResponse } from "node:http";
import { waitUntil } from "../../src/kernel/retry.ts";

/** Where a gated app asks for leave: in its build, before it listens, before it answers `/slow`. */
export type GateName = "build" | "listen" | "answer";

/** Doors that a test shuts and opens, so that a step lasts exactly as long as the test wants. All are open at first. */
export interface Gates extends AsyncDisposable {
  readonly url: string;
  shut(name: GateName): void;
  open(name: GateName): void;
  /** Resolves when this version stands before the shut door. */
  waitFor(name: GateName, version: string): Promise<void>;
  /** The versions of the app's processes that live now: each holds a connection from its start to its end. */
  alive(): string[];
}

interface Waiting {
  readonly name: string;
  readonly version: string;
  readonly response: ServerResponse;
}

export async function openGates(): Promise<Gates> {
  const shut = new Set<GateName>();
  const waiting = new Set<Waiting>();
  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    const [, name = "", version = ""] = (request.url ?? "").split("/");
    const isShut = name === "alive" || [...shut].some((one) => one === name);
    if (!isShut) return void response.end("pass");
    const one: Waiting = { name, version, response };
    waiting.add(one);
    response.once("close", () => waiting.delete(one));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    shut: (name) => void shut.add(name),
    open(name) {
      shut.delete(name);
      for (const one of waiting) if (one.name === name) one.response.end("pass");
    },
    waitFor: async (name, version) =>
      void (await waitUntil(() => [...waiting].some((one) => one.name === name && one.version === version), {
        everyMs: 20,
        signal: AbortSignal.timeout(60_000),
      })),
    alive: () => [...waiting].filter((one) => one.name === "alive").map((one) => one.version),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A Node app that answers with its version, builds, and asks at the gates. */
export function gatedApp(gateUrl: string, version: string): Record<string, string> {
  const lock = {
    name: "shop",
    version: "1.0.0",
    lockfileVersion: 3,
    requires: true,
    packages: { "": { name: "shop", version: "1.0.0" } },
  };
  const scripts = { build: "node build.mjs", start: "node server.mjs" };
  return {
    "package.json": JSON.stringify({ name: "shop", version: "1.0.0", private: true, scripts }),
    "package-lock.json": JSON.stringify(lock),
    "release.json": JSON.stringify({ gate: gateUrl, version }),
    "build.mjs": BUILD,
    "server.mjs": SERVER,
  };
}

const BUILD = `import { readFileSync, writeFileSync } from "node:fs";
const { gate, version } = JSON.parse(readFileSync("release.json", "utf8"));
console.log("building " + version);
await (await fetch(gate + "/build/" + version)).text();
writeFileSync("page.txt", version);
`;

const SERVER = `import { readFileSync } from "node:fs";
import { createServer, get } from "node:http";
const { gate, version } = JSON.parse(readFileSync("release.json", "utf8"));
const page = readFileSync("page.txt", "utf8");
get(gate + "/alive/" + version, { agent: false }).on("error", () => {});
const pass = (name) => fetch(gate + "/" + name + "/" + version).then((answer) => answer.text());
await pass("listen");
createServer(async (request, response) => {
  if (request.url === "/slow") await pass("answer");
  response.end(page);
}).listen(process.env.PORT, "127.0.0.1");
console.log("listening");
`;
