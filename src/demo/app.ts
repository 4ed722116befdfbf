/** The app the demonstration pushes: a Node server of a few lines, with a build step, so that every step of a deployment has something to do. */
export type Version = "first" | "second" | "broken";

export function appFiles(version: Version): Readonly<Record<string, string>> {
  return {
    "package.json": `${JSON.stringify(
      {
        name: "hello",
        version: "1.0.0",
        private: true,
        scripts: { build: "node build.mjs", start: "node server.mjs" },
      },
      null,
      2,
    )}\n`,
    "package-lock.json": `${JSON.stringify(
      {
        name: "hello",
        version: "1.0.0",
        lockfileVersion: 3,
        requires: true,
        packages: { "": { name: "hello", version: "1.0.0" } },
      },
      null,
      2,
    )}\n`,
    "greeting.txt": `${GREETINGS[version]}\n`,
    "build.mjs": BUILD,
    "server.mjs": version === "broken" ? BROKEN_SERVER : SERVER,
  };
}

export const GREETINGS = {
  first: "Hello from the first push.",
  second: "Hello from the second push.",
  broken: "Nobody will ever read this.",
} as const satisfies Record<Version, string>;

const BUILD = `import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

mkdirSync("dist", { recursive: true });
writeFileSync("dist/page.txt", readFileSync("greeting.txt", "utf8").trim());
console.log("built dist/page.txt");
`;

const SERVER = `import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const page = readFileSync(new URL("dist/page.txt", import.meta.url), "utf8");
createServer((request, response) => response.end(page)).listen(process.env.PORT, "127.0.0.1");
console.log("listening on " + process.env.PORT);
`;

const BROKEN_SERVER = `console.error("cannot read the configuration: DATABASE_PASSWORD is not set");
process.exit(1);
`;
