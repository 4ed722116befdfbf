import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runSandbox } from "./command.ts";
import { createSandbox } from "./sandbox.ts";

test("prints an address on loopback, a token that works and a warning, and ends with the signal", async () => {
  const lines: string[] = [];
  const stop = new AbortController();
  const running = runSandbox({ version: "15.3.0", port: 0 }, (line) => lines.push(line), stop.signal);
  await expect.poll(() => lines.at(-1), { timeout: 10_000 }).toContain("Ctrl-C");
  const text = lines.join("\n");
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0] ?? "";
  const token = /glpat-\S+/.exec(text)?.[0] ?? "";
  expect(text).toContain("no place for real code");
  const answer = await fetch(`${url}/api/v4/projects/demo%2Fhello`, { headers: { "PRIVATE-TOKEN": token } });
  expect(answer.status).toBe(200);
  stop.abort();
  await running;
  await expect(fetch(url)).rejects.toThrow("fetch failed");
});

test("an impossible version is refused before anything starts", async () => {
  const ask = runSandbox({ version: "latest" }, () => {}, new AbortController().signal);
  await expect(ask).rejects.toThrow(RangeError);
});

test("a folder of an earlier sandbox is refused: its repositories have lost their projects", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "sandbox-command-"));
  const first = await createSandbox({ dataDir: folder.path });
  await first.close();
  await first.close();
  await expect(createSandbox({ dataDir: folder.path })).rejects.toThrow(RangeError);
});
