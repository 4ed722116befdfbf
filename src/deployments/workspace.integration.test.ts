import { lstat, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { ended, openStage, until, work } from "../../test/support/deploy-work.ts";
import type { Stage } from "../../test/support/deploy-stage.ts";
import { Fault } from "../faults/fault.ts";
import { pathsOf } from "./target.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);

/** Each checkout finds a file that git does not write again. */
function keepFile(stage: Stage): string[] {
  const checkedOut: string[] = [];
  stage.before = async (call, request) => {
    if (call !== "checkOut") return;
    const { workspace } = request as { workspace: string };
    checkedOut.push(workspace);
    await writeFile(join(workspace, "kept.txt"), "kept", { flag: "a" });
  };
  return checkedOut;
}

const pathOf = (stage: Stage): ReturnType<typeof pathsOf> =>
  pathsOf(stage.parts.dataDir, stage.environmentId);
const others = async (stage: Stage): Promise<string[]> =>
  (await readdir(dirname(pathOf(stage).workspace))).filter((name) => /^(fresh|copy)-/.test(name));

test("the first checkout becomes the release, and the workspace a copy of it that the next push shares with", async () => {
  const stage = await openStage();
  const checkedOut = keepFile(stage);
  work(stage);
  await ended(stage, await stage.push(A), "live");
  const { workspace, releases, state } = pathOf(stage);
  await until(async () => (await readdir(state)).includes("released"));
  const [first = ""] = await readdir(releases);
  const inode = async (...path: string[]): Promise<number> => (await lstat(join(...path))).ino;
  expect(await readFile(join(workspace, "index.html"), "utf8")).toBe(A);
  expect(await inode(workspace, "kept.txt")).not.toBe(await inode(releases, first, "kept.txt"));
  expect(await others(stage)).toEqual([]);

  stage.before = async (call, request) => {
    if (call === "checkOut") checkedOut.push((request as { workspace: string }).workspace);
  };
  await ended(stage, await stage.push(B), "live");
  const second = (await readdir(releases)).find((name) => name !== first) ?? "";
  expect(await inode(releases, second, "kept.txt")).toBe(await inode(releases, first, "kept.txt"));
  expect(await readFile(join(releases, second, "index.html"), "utf8")).toBe(B);
  expect(await readFile(join(releases, first, "index.html"), "utf8")).toBe(A);
  expect(checkedOut.map((folder) => folder === workspace)).toEqual([false, true]);
});

test("what a failed first attempt has left becomes the workspace", async () => {
  const stage = await openStage();
  stage.before = async (call) => {
    if (call === "build") throw Fault.of("BUILD_FAILED", "", { message: "on purpose" });
  };
  work(stage);
  await ended(stage, await stage.push(A), "failed");
  const [left = ""] = await others(stage);
  const { ino } = await lstat(join(dirname(pathOf(stage).workspace), left));
  const checkedOut = keepFile(stage);
  await ended(stage, await stage.push(B), "live");
  expect(checkedOut).toEqual([pathOf(stage).workspace]);
  expect((await lstat(pathOf(stage).workspace)).ino).toBe(ino);
  expect(await others(stage)).toEqual([]);
});

test("while another attempt is at work no workspace is put in its way", async () => {
  const stage = await openStage();
  work(stage);
  const { workspace } = pathOf(stage);
  const other = join(dirname(workspace), "fresh-dep_other-1");
  const kept = Promise.withResolvers<void>();
  (stage.parts as { afterwards: Stage["parts"]["afterwards"] }).afterwards = (name, job) => {
    const done = job(AbortSignal.timeout(5000));
    if (name === "keeping the workspace") void done.then(kept.resolve, kept.reject);
  };
  stage.before = async (call) => {
    if (call === "switchRoute") await mkdir(other, { recursive: true });
  };
  await ended(stage, await stage.push(A), "live");
  await kept.promise;
  expect(await others(stage)).toEqual(["fresh-dep_other-1"]);
  await expect(lstat(workspace)).rejects.toThrow("ENOENT");
});
