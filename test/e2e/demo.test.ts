import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { run } from "../../src/kernel/run.ts";
import { findProcesses } from "../support/leftovers.ts";

const ROOT = join(import.meta.dirname, "../..");

test("the demonstration tells the whole story, ends with 0 and leaves no process and no file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fl-demo-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { stdout } = await run(process.execPath, [join(ROOT, "bin/fairlead.mjs"), "demo", "--once"], {
    env: { PATH: process.env["PATH"] ?? "", HOME: folder, TMPDIR: folder },
    cwd: folder,
    timeoutMs: 200_000,
  });
  const story = [
    "A GitLab 19.0.0 in a box",
    "PostgreSQL are up",
    "Connected to GitLab 19.0.0 as @ada: scopes api",
    "signed webhook 1 and read-only deploy key 1 are in GitLab",
    "live at http://hello.localhost:",
    'answers: "Hello from the first push."',
    "0 failed",
    'answers: "Hello from the second push."',
    "UNHEALTHY (exited)",
    'still answers: "Hello from the second push."',
    "Rollback to the first release",
    'answers: "Hello from the first push."',
    "Everything is stopped and removed.",
  ];
  let from = 0;
  for (const line of story) {
    const at = stdout.indexOf(line, from);
    expect(at, `${line}\nin\n${stdout}`).toBeGreaterThanOrEqual(from);
    from = at;
  }
  const counts =
    /under (\d+) requests\/s: (\d+) on kept and (\d+) on fresh/.exec(stdout)?.slice(1).map(Number) ?? [];
  expect(counts).toHaveLength(3);
  expect(counts[0]).toBeGreaterThanOrEqual(100);
  expect(Math.abs(counts[1]! - counts[2]!)).toBeLessThanOrEqual(1);
  expect(await findProcesses(folder)).toEqual([]);
  expect(await readdir(folder)).toEqual([]);
});
