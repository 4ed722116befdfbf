import { join } from "node:path";
import { connectEdge } from "../src/edge/client.ts";
import { edgeFiles } from "../src/edge/edge-files.ts";
import { measureRate } from "./load.ts";
import { compare, perSecond, type Bench } from "./result.ts";
import type { Pair } from "./statistics.ts";
import { openWorld, settle } from "./world.ts";

const ROUNDS = 7;
const SECONDS = 4;
const CONNECTIONS = ["--connections", "64"];

/** Requests a second through the edge against the same app asked at its own port. The app answers one line and does nothing else. */
export const edgeBench: Bench = {
  name: "edge",
  async run(tell, undo) {
    const world = await openWorld(undo);
    const project = await world.sandbox.state.createProject({
      path: "acme/hello",
      owner: world.user,
      files: FILES,
    });
    const app = await world.link(project);
    await settle(world.fairlead, app.name);
    const host = `${app.name}.localhost`;
    const routes = await connectEdge({ socketPath: edgeFiles(world.fairlead.dataDir).socket }).routes();
    const target = routes.find((route) => route.host === host)?.targets[0];
    if (!target) throw new Error("the app is not live");
    const direct = `http://${target.host}:${target.port}/`;
    const through = `http://${join(`${world.fairlead.edge.host}:${world.fairlead.edge.port}`, "/")}`;
    const words = [...CONNECTIONS, "--headers", `Host=${host}`];
    await measureRate(through, 4, words);
    await measureRate(direct, 2, words);
    const pairs: Pair[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      const pair = {
        ours: await measureRate(through, SECONDS, words),
        other: await measureRate(direct, SECONDS, words),
      };
      pairs.push(pair);
      tell(`round ${round}: ${perSecond(pair.ours)} through the edge, ${perSecond(pair.other)} directly`);
    }
    return [
      compare("requests through the edge", pairs, { least: 0.2 }, { other: "directly", show: perSecond }),
    ];
  },
};

const FILES = {
  "package.json": JSON.stringify({
    name: "hello",
    version: "1.0.0",
    private: true,
    scripts: { start: "node server.js" },
  }),
  "package-lock.json": JSON.stringify({
    name: "hello",
    version: "1.0.0",
    lockfileVersion: 3,
    packages: { "": { name: "hello", version: "1.0.0" } },
  }),
  "server.js": `require("node:http").createServer((request, response) => response.end("hello\\n")).listen(process.env.PORT, "127.0.0.1");\n`,
};
