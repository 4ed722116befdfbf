import { execFileSync } from "node:child_process";
import {
  chmod,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { makeRelease } from "./release-files.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fairlead-release-"));
  const created = folder;
  onTestFinished(() => rm(created, { recursive: true, force: true }));
  await mkdir(join(folder, "from/dir/deep"), { recursive: true });
  for (const name of ["same", "dir/same", "dir/deep/changed"])
    await writeFile(join(folder, "from", name), `${name} first`);
});

const at = (...path: string[]): string => join(folder, ...path);
const release = (to: string, share = true, fresh = false): Promise<string> =>
  makeRelease({
    workspace: at("from"),
    from: at("from"),
    to: at(to),
    memory: at("memory"),
    share,
    fresh,
    signal: AbortSignal.timeout(10_000),
  });
const inode = async (path: string): Promise<number> => (await lstat(at(path))).ino;
const text = (path: string): Promise<string> => readFile(at(path), "utf8");

test("what a push did not touch is shared with the last release, never with the folder it was built in", async () => {
  await release("one");
  await writeFile(at("from/dir/deep/changed"), "second");
  await writeFile(at("from/new"), "new");
  await release("two");
  for (const name of ["same", "dir/same"]) {
    expect(await inode(`two/${name}`)).toBe(await inode(`one/${name}`));
    expect(await inode(`two/${name}`)).not.toBe(await inode(`from/${name}`));
  }
  expect(await text("two/dir/deep/changed")).toBe("second");
  expect(await text("one/dir/deep/changed")).toBe("dir/deep/changed first");
  expect(await text("two/new")).toBe("new");
  expect(await inode("two/new")).not.toBe(await inode("from/new"));
});

test("a file of the same size and times, written in place, is copied", async () => {
  await release("one");
  const { atime, mtime } = await stat(at("from/same"));
  await writeFile(at("from/same"), "SAME FIRST");
  await utimes(at("from/same"), atime, mtime);
  await release("two");
  expect(await text("two/same")).toBe("SAME FIRST");
});

test("files that changed places by renaming their folders are copied", async () => {
  await mkdir(at("from/a"));
  await mkdir(at("from/b"));
  await writeFile(at("from/a/x"), "1");
  await writeFile(at("from/b/x"), "2");
  await release("one");
  await rename(at("from/a"), at("from/c"));
  await rename(at("from/b"), at("from/a"));
  await rename(at("from/c"), at("from/b"));
  await release("two");
  expect([await text("two/a/x"), await text("two/b/x")]).toEqual(["2", "1"]);
});

test("removed files are gone, links stay links, modes are set as in a copy", async () => {
  await writeFile(at("secret"), "x", { mode: 0o600 });
  await symlink("../secret", at("from/link"));
  await release("one");
  await rm(at("from/dir/same"));
  await writeFile(at("from/tool"), "x");
  await chmod(at("from/tool"), 0o4700);
  await chmod(at("from/same"), 0o600);
  await release("two");
  await expect(lstat(at("two/dir/same"))).rejects.toThrow("ENOENT");
  expect(await readlink(at("two/link"))).toBe("../secret");
  const modes = await Promise.all(
    ["two", "two/dir", "two/tool", "two/same", "secret"].map(
      async (name) => (await stat(at(name))).mode & 0o7777,
    ),
  );
  expect(modes).toEqual([0o755, 0o755, 0o755, 0o644, 0o600]);
  expect(await text("one/dir/same")).toBe("dir/same first");
});

test("when the last release is gone, wholly or in part, everything is there all the same", async () => {
  await release("one");
  await rm(at("one/same"));
  await release("two");
  expect(await text("two/same")).toBe("same first");
  await rm(at("two"), { recursive: true });
  await release("three");
  expect(await text("three/dir/deep/changed")).toBe("dir/deep/changed first");
});

test("nothing is shared when that is not wanted, after a restart of the machine, or with a memory of another folder", async () => {
  await release("one");
  await release("two", false);
  const memory = await text("memory");
  await writeFile(at("memory"), memory.replace(/"boot":"[^"]*"/, '"boot":"another"'));
  await release("three");
  await writeFile(at("memory"), memory.replace(/"place":"[^"]*"/, '"place":"dist"'));
  await release("four");
  await writeFile(at("memory"), "{");
  await release("five");
  for (const name of ["two", "three", "four", "five"])
    expect(await inode(`${name}/same`)).not.toBe(await inode("one/same"));
});

test("pipes and names that are no text are no obstacle", async () => {
  await release("one");
  execFileSync("mkfifo", [at("from/pipe")]);
  await writeFile(Buffer.concat([Buffer.from(`${at("from")}/`), Buffer.from([0x66, 0xff])]), "odd");
  await release("two");
  expect((await lstat(at("two/pipe"))).isFIFO()).toBe(true);
  expect(
    await readFile(Buffer.concat([Buffer.from(`${at("two")}/`), Buffer.from([0x66, 0xff])]), "utf8"),
  ).toBe("odd");
});

test("a fresh folder becomes the release itself, with the modes of a copy", async () => {
  await writeFile(at("from/tool"), "x");
  await chmod(at("from/tool"), 0o6770);
  await chmod(at("from/dir"), 0o1777);
  const before = await inode("from/same");
  expect(await release("one", true, true)).toBe("moved");
  expect(await inode("one/same")).toBe(before);
  await expect(lstat(at("from"))).rejects.toThrow("ENOENT");
  const modes = await Promise.all(
    ["one", "one/dir", "one/tool", "one/same"].map(async (name) => (await stat(at(name))).mode & 0o7777),
  );
  expect(modes).toEqual([0o755, 0o755, 0o755, 0o644]);
});

test.each(["a file that has a name elsewhere", "a pipe", "a folder in it", "no sharing"])(
  "a fresh folder is copied all the same: %s",
  async (why) => {
    if (why === "a file that has a name elsewhere") await link(at("from/same"), at("elsewhere"));
    if (why === "a pipe") execFileSync("mkfifo", [at("from/pipe")]);
    const made = await makeRelease({
      workspace: why === "a folder in it" ? at(".") : at("from"),
      from: at("from"),
      to: at("one"),
      memory: at("memory"),
      share: why !== "no sharing",
      fresh: true,
      signal: AbortSignal.timeout(10_000),
    });
    expect(made).toBe("copied");
    expect(await inode("one/same")).not.toBe(await inode("from/same"));
  },
);
