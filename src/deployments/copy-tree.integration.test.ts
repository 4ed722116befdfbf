import { chmod, lstat, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { copyTree } from "./copy-tree.ts";

async function createFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-copy-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test("a folder that is a link is copied, not linked, and nothing it leads to changes its mode", async () => {
  const folder = await createFolder();
  await mkdir(join(folder, "workspace/out"), { recursive: true });
  await writeFile(join(folder, "workspace/out/index.html"), "first", { mode: 0o600 });
  await symlink("../workspace/out", join(folder, "workspace/dist"));
  await mkdir(join(folder, "releases"));
  await copyTree(join(folder, "workspace/dist"), join(folder, "releases/one"), AbortSignal.timeout(10_000));
  expect((await lstat(join(folder, "releases/one"))).isDirectory()).toBe(true);
  expect((await stat(join(folder, "workspace/out/index.html"))).mode & 0o777).toBe(0o600);
  await writeFile(join(folder, "workspace/out/index.html"), "second");
  expect(await readFile(join(folder, "releases/one/index.html"), "utf8")).toBe("first");
});

test("set-uid bits are not taken over, links stay links, and everything can be read", async () => {
  const folder = await createFolder();
  await mkdir(join(folder, "from"));
  await writeFile(join(folder, "from/tool"), "x");
  await chmod(join(folder, "from/tool"), 0o4700);
  await writeFile(join(folder, "secret"), "x", { mode: 0o600 });
  await symlink("../secret", join(folder, "from/link"));
  await copyTree(join(folder, "from"), join(folder, "to"), AbortSignal.timeout(10_000));
  expect((await stat(join(folder, "to/tool"))).mode & 0o7777).toBe(0o755);
  expect((await lstat(join(folder, "to/link"))).isSymbolicLink()).toBe(true);
  expect((await stat(join(folder, "secret"))).mode & 0o777).toBe(0o600);
});
