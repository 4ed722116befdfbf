#!/usr/bin/env node
// Runs src/main.ts under Node 24.12 or newer, whatever Node started this: the one at hand if it is new enough, else the one that npm
// installed with Fairlead. Plain JavaScript that Node 18 understands.
// oxlint-disable-next-line no-restricted-imports -- kernel/run.ts is TypeScript, which the Node that starts this may not run
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const main = join(root, "src", "main.ts");
/** Waiting, a server has 119 MB instead of 128. With 4 it has 109, and took 0.79 of a bare route's webhook calls instead of 0.85. */
const SMALL = ["--max-semi-space-size=8"];

if (root.includes("/node_modules/")) {
  fail(
    "Fairlead runs from a checkout: Node does not run TypeScript below node_modules.\nClone the repository and run npm ci there.",
  );
} else if (isNewEnough(process.versions.node)) {
  if (isServer() && !SMALL.every((flag) => process.execArgv.includes(flag))) startAnew();
  await import(pathToFileURL(main).href);
} else {
  runWith(findNode());
}

function isNewEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > 24 || (major === 24 && minor >= 12);
}

function isServer() {
  return process.argv[2] === "serve";
}

/** Takes this process's place: same number, same terminal, 30 ms. V8 reads such flags only before it starts. */
function startAnew() {
  const words = [process.execPath, ...SMALL, ...process.execArgv, main, ...process.argv.slice(2)];
  process.execve(process.execPath, words);
}

/** The packaged program, or null. */
function findNode() {
  try {
    const description = createRequire(import.meta.url).resolve(`node-linux-${process.arch}/package.json`);
    const program = join(dirname(description), "bin", "node");
    return process.platform === "linux" && existsSync(program) ? program : null;
  } catch {
    return null;
  }
}

function runWith(program) {
  if (program === null) {
    const here = `${process.platform} ${process.arch}`;
    fail(
      `Fairlead needs Node 24.12 or newer; this is ${process.versions.node}.\n` +
        `A packaged one comes with npm ci on Linux x64 and arm64 (this is ${here}); elsewhere install it from https://nodejs.org.`,
    );
    return;
  }
  const flags = isServer() ? SMALL : [];
  const child = spawn(program, [...flags, main, ...process.argv.slice(2)], { stdio: "inherit" });
  child.once("error", (error) => {
    const libc =
      error.code === "ENOENT"
        ? "\nIt needs glibc: on musl (Alpine) install Node 24.12 or newer yourself."
        : "";
    fail(`The packaged Node could not be started (${error.code}).${libc}`);
  });
  const handlers = ["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => {
    let forwarded = false;
    const forward = () => {
      // Keys pressed in a terminal reach the child by themselves: it is in the same process group.
      if (forwarded || (signal !== "SIGTERM" && isForeground())) return;
      forwarded = true;
      child.kill(signal);
    };
    process.on(signal, forward);
    return () => process.removeListener(signal, forward);
  });
  child.once("exit", (code, signal) => {
    for (const remove of handlers) remove();
    process.exitCode = signal === null ? code : 128 + constants.signals[signal];
    if (signal !== null) process.kill(process.pid, signal); // so that a shell sees how it really ended
  });
}

/** Whether this process group is the one that its terminal sends signals to. */
function isForeground() {
  try {
    const stat = readFileSync("/proc/self/stat", "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name before it may hold spaces
    const [group, terminalGroup] = [fields[2], fields[5]];
    return group === terminalGroup;
  } catch {
    return false;
  }
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
