import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { deadline } from "../kernel/clock.ts";
import { waitUntil } from "../kernel/retry.ts";
import { entry } from "./program.ts";

async function startSandbox() {
  const child = spawn(process.execPath, [entry, "sandbox"], { stdio: ["ignore", "pipe", "ignore"] });
  let out = "";
  child.stdout.on("data", (part) => (out += String(part)));
  await waitUntil(() => out.includes("Ctrl-C ends it"), { everyMs: 10, signal: deadline(20_000) });
  return child;
}

test.each([
  ["SIGINT", "SIGTERM"],
  ["SIGHUP", "SIGTERM"],
] as const)("%s and %s together let it clean up", async (one, other) => {
  const child = await startSandbox();
  const ended = once(child, "exit", { signal: deadline(20_000) });
  child.kill(one);
  child.kill(other);
  expect(await ended).toEqual([0, null]);
});
