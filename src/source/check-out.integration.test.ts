import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createRepository } from "../../test/support/git-repository.ts";
import { createSourceFixture, treeDifferences, type SourceFixture } from "../../test/support/git-source.ts";

let fixture: SourceFixture;
beforeEach(async () => {
  fixture = await createSourceFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

/** Checks out and compares. */
async function deploy(commit: string): Promise<void> {
  await fixture.checkOut(commit);
  expect(treeDifferences(fixture.repository, commit, fixture.workspace)).toEqual([]);
}

const at = (...path: string[]): string => join(fixture.workspace, ...path);
const outside = (...path: string[]): string => join(fixture.folder, "outside", ...path);

describe("the tree is the commit", () => {
  test("first and later commits, with removed files and empty folders gone", async () => {
    const one = fixture.repository.commit(
      { "a.txt": "1", "dir/b.txt": "2", "dir/deep/c": "3" },
      { title: "Ünï code" },
    );
    const two = fixture.repository.commit({ "a.txt": "changed", "dir/deep/c": null, new: "4" });
    expect(await fixture.checkOut(one)).toEqual({ commit: one, title: "Ünï code", author: "Ada Löwe" });
    expect(treeDifferences(fixture.repository, one, fixture.workspace)).toEqual([]);
    await deploy(two);
    expect(existsSync(at("dir/deep"))).toBe(false);
    await deploy(one);
    expect(existsSync(at("new"))).toBe(false);
    expect(readdirSync(fixture.workspace)).toEqual(["a.txt", "dir"]); // no .git
  });

  test("what a build did is undone, what it made is kept", async () => {
    const one = fixture.repository.commit({
      "a.txt": "12345",
      "b.txt": "text",
      "run.sh": { text: "#!/bin/sh", executable: true },
      link: { link: "a.txt" },
      "dir/x": "x",
      "gone/y": "y",
      "folder/z": "z",
    });
    await deploy(one);
    writeFileSync(at("a.txt"), "54321");
    utimesSync(at("a.txt"), 1, 1);
    chmodSync(at("run.sh"), 0o644);
    chmodSync(at("b.txt"), 0o777);
    rmSync(at("link"));
    symlinkSync("b.txt", at("link"));
    rmSync(at("gone"), { recursive: true });
    rmSync(at("folder"), { recursive: true });
    writeFileSync(at("folder"), "a file where a folder was");
    rmSync(at("dir/x"));
    mkdirSync(at("dir/x/deep/deeper"), { recursive: true });
    writeFileSync(at("dir/x/deep/deeper/file"), "in the way");
    mkdirSync(at("node_modules/.cache"), { recursive: true });
    writeFileSync(at("node_modules/.cache/kept"), "kept");
    await deploy(one);
    expect(readFileSync(at("node_modules/.cache/kept"), "utf8")).toBe("kept");
  });

  test("a change within the same second, of the same length, with the old times", async () => {
    expect.hasAssertions();
    const one = fixture.repository.commit({ "a.txt": "12345", "b.txt": "12345" });
    await deploy(one);
    for (let round = 0; round < 5; round++) {
      const { atime, mtime } = statSync(at("a.txt"));
      writeFileSync(at("a.txt"), "54321");
      utimesSync(at("a.txt"), atime, mtime);
      writeFileSync(at("new-b"), "54321");
      utimesSync(at("new-b"), atime, mtime);
      renameSync(at("new-b"), at("b.txt"));
      await deploy(one);
    }
  });

  test("file, folder and link change into each other", async () => {
    expect.hasAssertions();
    const forms = [
      { thing: "a file" },
      { "thing/inside": "a folder", "thing/more/deep": "x" },
      { thing: { link: "elsewhere" } },
      { "thing/inside": { link: "../.." } },
    ] as const;
    const commits = forms.map((files) => fixture.repository.commit(files, { parent: null }));
    for (const from of commits) {
      for (const to of commits) {
        await deploy(from);
        await deploy(to);
      }
    }
  });

  test("names of every kind", async () => {
    const names = [
      "ünï/ﬁle",
      "u\u0308n", // decomposed
      "\u00fcn", // composed
      "README",
      "readme",
      "-rf",
      "--end-of-options",
      "a b/c  d",
      "quote'\"`$(x)",
      "new\nline",
      "tab\there",
      "back\\slash",
      "*.lock",
      "index.lock",
      "HEAD",
      ".gitmodules.txt",
      "x".repeat(255),
      `${"long/".repeat(100)}end`,
    ];
    await deploy(fixture.repository.commit(Object.fromEntries(names.map((name) => [name, name]))));
    const invalid = fixture.repository.git(["hash-object", "-w", "--stdin"], "x");
    const entry = Buffer.concat([
      Buffer.from(`100644 ${invalid}\t`),
      Buffer.from([0xff, 0xfe]),
      Buffer.from("\0"),
    ]);
    fixture.repository.git(["read-tree", "--empty"]);
    fixture.repository.git(["update-index", "-z", "--index-info"], entry);
    const tree = fixture.repository.git(["write-tree"]);
    const commit = fixture.repository.git(["commit-tree", tree, "-m", "not UTF-8"]);
    fixture.repository.git(["update-ref", "refs/heads/odd", commit]);
    await fixture.checkOut(commit);
    expect(readdirSync(fixture.workspace, "buffer")).toEqual([Buffer.from([0xff, 0xfe])]);
  });

  test("an empty commit, and one whose message and author are odd", async () => {
    await deploy(fixture.repository.commit({ a: "a" }));
    const empty = fixture.repository.commit(
      { a: null },
      { title: "-- \u001B[31mred\u0000".replace("\0", "") },
    );
    expect(await fixture.checkOut(empty)).toMatchObject({ title: "-- \u001B[31mred" });
    expect(readdirSync(fixture.workspace)).toEqual([]);
  });
});

test("a repository with SHA-256 ids", async () => {
  const repository = await createRepository(join(fixture.folder, "repositories"), "long.git", "sha256");
  const remote = { ...fixture.remote, key: "con_test/43", url: `${fixture.server.origin}/long.git` };
  const commits = [repository.commit({ a: "1", b: "1" }), repository.commit({ a: "2", b: null })];
  for (const commit of commits) {
    await fixture.checkOut(commit, { remote });
    expect(treeDifferences(repository, commit, fixture.workspace)).toEqual([]);
  }
  expect(readdirSync(fixture.workspace)).toEqual(["a"]);
});

describe("an earlier build cannot make git write outside the workspace", () => {
  beforeEach(() => {
    mkdirSync(outside("src/deep"), { recursive: true });
    writeFileSync(outside("src/a"), "outside");
    writeFileSync(outside("src/deep/b"), "outside");
    writeFileSync(outside("file"), "outside");
  });

  const untouched = (): void => {
    expect(readdirSync(outside()).sort()).toEqual(["file", "src"]);
    expect(readdirSync(outside("src")).sort()).toEqual(["a", "deep"]);
    for (const name of ["src/a", "src/deep/b", "file"])
      expect(readFileSync(outside(name), "utf8")).toBe("outside");
  };

  test("by links in the place of folders and files, whatever changes in the commit", async () => {
    const one = fixture.repository.commit({ "src/a": "1", "src/deep/b": "1", "src/deep/c": "1", file: "1" });
    const commits = [
      one,
      fixture.repository.commit({ "src/a": "2", "src/deep/b": "2", file: "2" }),
      fixture.repository.commit({ "src/a": null, "src/deep/b": null, file: null, other: "3" }),
      fixture.repository.commit({ "src/new/file": "4", "src/deep/c": null, "src/deep": "a file" }),
    ];
    for (const next of commits) {
      for (const [link, target] of [
        ["src", outside("src")],
        ["src/deep", outside("src/deep")],
        ["file", outside("file")],
        ["src", "../outside/src"],
        ["src", "src"],
        ["src", outside("nowhere")],
      ] as const) {
        await deploy(one);
        rmSync(at(link), { recursive: true, force: true });
        symlinkSync(target, at(link));
        await deploy(next);
        untouched();
      }
    }
    expect(existsSync(outside("nowhere"))).toBe(false);
  });

  test("by moving a folder outside, unchanged to the inode, and linking to it", async () => {
    const one = fixture.repository.commit({ "src/a": "1", "src/deep/b": "1", c: "1" });
    const two = fixture.repository.commit({ c: "2" });
    const three = fixture.repository.commit({ "src/a": "3", "src/deep/b": null });
    for (const next of [one, two, three]) {
      await deploy(one);
      rmSync(join(fixture.folder, "moved"), { recursive: true, force: true });
      renameSync(at("src"), join(fixture.folder, "moved"));
      symlinkSync(join(fixture.folder, "moved"), at("src"));
      await deploy(next);
      expect(readFileSync(join(fixture.folder, "moved/a"), "utf8")).toBe("1");
      expect(readFileSync(join(fixture.folder, "moved/deep/b"), "utf8")).toBe("1");
    }
  });

  test("by hard links to files outside", async () => {
    expect.hasAssertions();
    const one = fixture.repository.commit({ file: "1", "src/a": "1" });
    await deploy(one);
    for (const name of ["file", "src/a"]) {
      rmSync(at(name));
      linkSync(outside(name), at(name));
    }
    await deploy(fixture.repository.commit({ file: "2" }));
    untouched();
  });

  test("by replacing the workspace itself with a link", async () => {
    const one = fixture.repository.commit({ file: "1" });
    await deploy(one);
    rmSync(fixture.workspace, { recursive: true });
    symlinkSync(outside(), fixture.workspace);
    await expect(fixture.checkOut(one)).rejects.toMatchObject({ code: "GIT_FAILED" });
    untouched();
  });

  test("by a repository of its own, with hooks, filters and a file system monitor", async () => {
    expect.hasAssertions();
    const one = fixture.repository.commit({
      file: "1",
      ".gitattributes": "* filter=evil\n*.md text eol=crlf\n",
    });
    await deploy(one);
    const planted = fixture.repository.folder;
    for (const place of [".git", "sub/.git"]) {
      mkdirSync(dirname(at(place)), { recursive: true });
      cpSync(planted, at(place), { recursive: true });
      mkdirSync(at(place, "hooks"), { recursive: true });
      for (const hook of ["post-checkout", "post-index-change", "reference-transaction"]) {
        writeFileSync(at(place, "hooks", hook), `#!/bin/sh\ntouch ${outside("owned")}\n`, { mode: 0o755 });
      }
      const command = `touch ${outside("owned")}`;
      writeFileSync(
        at(place, "config"),
        `[core]\nfsmonitor = ${command}\nbare = false\n[filter "evil"]\nsmudge = ${command}\nclean = ${command}\nprocess = ${command}\n`,
      );
    }
    await deploy(fixture.repository.commit({ file: "2", "sub/inner": "3" }));
    await deploy(fixture.repository.commit({ "sub/inner": null, sub: "a file" }));
    untouched();
  });
});

test("a build that took our rights to its folders away", async ({ skip }) => {
  skip(process.getuid?.() === 0, "root has all rights");
  expect.hasAssertions();
  const one = fixture.repository.commit({ "src/a": "1", "src/deep/b": "1" });
  await deploy(one);
  chmodSync(at("src/deep"), 0);
  chmodSync(at("src"), 0o500);
  chmodSync(fixture.workspace, 0o500);
  await deploy(fixture.repository.commit({ "src/a": "2", "src/deep/b": null }));
});
