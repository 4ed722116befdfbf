import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { acquireLock, findLockHolder, LockHeld } from "./lock.ts";
import { findProcess } from "./process-identity.ts";

describe("acquireLock", () => {
  let folder = "";
  let path = "";

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "fairlead-lock-"));
    path = join(folder, "lock");
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it("is held until it is released", async () => {
    const lock = await acquireLock(path);
    await expect(acquireLock(path)).rejects.toThrow(LockHeld);
    expect((await findLockHolder(path))?.pid).toBe(process.pid);
    await lock[Symbol.asyncDispose]();
    expect(await findLockHolder(path)).toBeNull();
    await using again = await acquireLock(path);
    expect(again).toBeDefined();
    expect(await readdir(folder)).toEqual(["lock"]);
  });

  it.each([
    ["a dead process", JSON.stringify({ pid: 2 ** 30, startedAt: "x", token: "dead" })],
    [
      "an earlier process of our number",
      JSON.stringify({ pid: process.pid, startedAt: "boot 1", token: "old" }),
    ],
    ["nobody, being empty after a power cut", ""],
    ["nobody, being no lock", '{"pid":"x"}'],
  ])("goes to one of many when it was left by %s", async (_, left) => {
    for (let round = 0; round < 20; round++) {
      await writeFile(path, left);
      const all = await Promise.allSettled(Array.from({ length: 20 }, () => acquireLock(path)));
      const won = all.filter((each) => each.status === "fulfilled");
      expect(won).toHaveLength(1);
      const lost = all.filter((each) => each.status === "rejected");
      expect(lost.every((each) => each.reason instanceof LockHeld)).toBe(true);
      expect(await readdir(folder)).toEqual(["lock"]);
      await won[0]?.value[Symbol.asyncDispose]();
    }
  });

  it("is free again when its process is killed, also when that died while taking over", async () => {
    const code = new URL("./lock.ts", import.meta.url).href;
    const script = `const { acquireLock } = await import(${JSON.stringify(code)}); await acquireLock(${JSON.stringify(path)}); console.log("held"); setInterval(() => {}, 1000);`;
    const child = execFile(process.execPath, ["--input-type=module", "--eval", script]);
    await once(child.stdout!, "data");
    await expect(acquireLock(path)).rejects.toThrow(LockHeld);
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
    const { token } = JSON.parse(await readFile(path, "utf8")) as { token: string };
    await writeFile(`${path}.${token}`, JSON.stringify({ pid: 2 ** 30, startedAt: "x", token: "dead too" }));
    await using lock = await acquireLock(path);
    expect(lock).toBeDefined();
    expect(await readdir(folder)).toEqual(["lock"]);
  });
});

describe("findProcess", () => {
  it("knows the living from the dead, and from those nobody has collected", async () => {
    expect((await findProcess(process.pid))?.startedAt).toMatch(/^[0-9a-f-]{36} \d+$/);
    expect(await findProcess(2 ** 30)).toBeNull();
    const parent = execFile("/bin/sh", ["-c", "sleep 0 & echo $!; exec sleep 5"]);
    const [zombie] = (await once(parent.stdout!, "data")) as [string];
    await expect.poll(() => findProcess(Number(zombie))).toBeNull();
    parent.kill("SIGKILL");
  });
});
