import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createSourceFixture, treeDifferences, type SourceFixture } from "../../test/support/git-source.ts";

let fixture: SourceFixture;
beforeEach(async () => {
  fixture = await createSourceFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

async function deploy(commit: string): Promise<void> {
  await fixture.checkOut(commit);
  expect(treeDifferences(fixture.repository, commit, fixture.workspace)).toEqual([]);
}

const at = (...path: string[]): string => join(fixture.workspace, ...path);
const outside = (...path: string[]): string => join(fixture.folder, "outside", ...path);

const treeOf = (entries: readonly string[]): string => {
  const tree = fixture.repository.git(["mktree"], `${entries.join("\n")}\n`);
  const commit = fixture.repository.git(["commit-tree", tree, "-m", "hostile"]);
  fixture.repository.git(["update-ref", "refs/heads/hostile", commit]);
  return commit;
};
const blob = (text: string): string => fixture.repository.git(["hash-object", "-w", "--stdin"], text);

test.each([".git", ".GIT", "..", ".", "git~1"])(
  "a tree with the name %s is refused and changes nothing",
  async (name) => {
    const inner = fixture.repository.git(["mktree"], `100755 blob ${blob("#!/bin/sh\n")}\tpost-checkout\n`);
    const good = fixture.repository.commit({ good: "good" });
    await deploy(good);
    const commit = treeOf([`040000 tree ${inner}\t${name}`]);
    await expect(fixture.checkOut(commit)).rejects.toMatchObject({ code: "GIT_FAILED" });
    await deploy(good);
  },
);

test("a link and a folder of the same name write nothing behind the link", async () => {
  mkdirSync(outside(), { recursive: true });
  const inner = fixture.repository.git(["mktree"], `100644 blob ${blob("evil")}\tfile\n`);
  const commit = treeOf([`120000 blob ${blob(outside())}\ta`, `040000 tree ${inner}\ta`]);
  await fixture.checkOut(commit).catch(() => {});
  expect(readdirSync(outside())).toEqual([]);
});

test("links out of the tree stay links, submodules empty folders, large files pointers, without a request", async () => {
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n";
  const sub = "1".repeat(40);
  fixture.repository.commit({
    ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    ".gitmodules": `[submodule "s"]\n\tpath = s\n\turl = ext::sh -c touch% ${join(fixture.folder, "owned")}\n\tupdate = !touch x\n`,
    ".lfsconfig": "[lfs]\n\turl = http://127.0.0.1:1/\n",
    "big.bin": pointer,
    out: { link: "../../../../etc/passwd" },
  });
  fixture.repository.git(["read-tree", "main"]);
  fixture.repository.git(["update-index", "--index-info"], `160000 ${sub}\ts\n`);
  const tree = fixture.repository.git(["write-tree"]);
  const commit = fixture.repository.git(["commit-tree", tree, "-m", "submodule"]);
  fixture.repository.git(["update-ref", "refs/heads/main", commit]);
  await deploy(commit);
  expect(readdirSync(at("s"))).toEqual([]);
  expect(readFileSync(at("big.bin"), "utf8")).toBe(pointer);
  expect(lstatSync(at("out")).isSymbolicLink()).toBe(true);
  expect(existsSync(join(fixture.folder, "owned"))).toBe(false);
  expect(fixture.server.seen.every(({ url }) => url.startsWith("/group/project.git/"))).toBe(true);
});

test("a refused commit costs nothing: what a build kept is kept, and the server is not asked again", async () => {
  const good = fixture.repository.commit({ good: "good" });
  await deploy(good);
  mkdirSync(at("node_modules"));
  const inner = fixture.repository.git(["mktree"], `100644 blob ${blob("x")}\tconfig\n`);
  const commit = treeOf([`040000 tree ${inner}\t.git`]);
  await expect(fixture.checkOut(commit)).rejects.toMatchObject({
    code: "GIT_FAILED",
    evidence: { words: expect.stringContaining("invalid path '.git/config'") },
  });
  const asked = fixture.server.seen.length;
  await deploy(good);
  expect(existsSync(at("node_modules"))).toBe(true);
  expect(fixture.server.seen.length).toBe(asked);
});
