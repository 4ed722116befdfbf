import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFolder } from "../../../test/support/embedded-server.ts";
import { launch } from "../../kernel/run.ts";
import { claimInstance } from "./instance-lock.ts";
import { findStartTime } from "./processes.ts";

const inUse = { code: "DATABASE_UNAVAILABLE", reason: "in_use" };

test("held once, named to the second, free again after release", async () => {
  const path = join(await makeFolder(), "lock");
  {
    await using held = await claimInstance(path);
    expect(held).toBeDefined();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await expect(claimInstance(path)).rejects.toMatchObject({ ...inUse, evidence: { pid: process.pid } });
  }
  await using again = await claimInstance(path);
  expect(again).toBeDefined();
});

test("without the flock program the recorded process decides", async () => {
  const path = join(await makeFolder(), "lock");
  await using held = await claimInstance(path, "no-such-program");
  expect(held).toBeDefined();
  await expect(claimInstance(path, "no-such-program")).rejects.toMatchObject({
    ...inUse,
    evidence: { pid: process.pid },
  });
  await writeFile(path, `${process.pid} 1\n`); // the same id, but a process that started at another time
  await using taken = await claimInstance(path, "no-such-program");
  expect(await readFile(path, "utf8")).toBe(`${process.pid} ${await findStartTime(process.pid)}\n`);
  expect(taken).toBeDefined();
});

test.for(["", "rubbish", "999999999 1", "-1 -1"])("a lock file that says %j is nobody's", async (content) => {
  const path = join(await makeFolder(), "lock");
  await writeFile(path, content);
  await using held = await claimInstance(path);
  expect(held).toBeDefined();
});

test("a process that has ended and was not waited for yet counts as gone", async () => {
  const child = launch("sleep", ["60"], { env: { PATH: "/usr/bin:/bin" }, output: "ignore" });
  const pid = child.pid ?? 0;
  expect(await findStartTime(pid)).toMatch(/^\d+$/u);
  child.kill("SIGKILL");
  await child.ended;
  expect(await findStartTime(pid)).toBeNull();
});
