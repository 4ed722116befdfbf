import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

/** A file of a commit: its text, or how it differs from a plain file. `null` removes it. */
export type FixtureFile =
  | string
  | null
  | { readonly text: string; readonly executable: true }
  | { readonly link: string };

export interface GitFixture {
  readonly folder: string;
  /** Commits on top of `parent` (default: the last commit; null: none) and moves `main`. Returns the commit's id. */
  commit(files: Readonly<Record<string, FixtureFile>>, options?: CommitOptions): string;
  git(args: readonly string[], input?: string | Buffer): string;
}

export interface CommitOptions {
  readonly title?: string;
  readonly parent?: string | null;
  readonly branch?: string;
}

/** A bare repository, written by plumbing alone: no work tree, so any name and any mode can be committed. */
export async function createRepository(root: string, path: string, format = "sha1"): Promise<GitFixture> {
  const folder = join(root, path);
  await mkdir(folder, { recursive: true });
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_DIR: folder,
    GIT_AUTHOR_NAME: "Ada Löwe",
    GIT_AUTHOR_EMAIL: "ada@example.com",
    GIT_COMMITTER_NAME: "Ada Löwe",
    GIT_COMMITTER_EMAIL: "ada@example.com",
    GIT_INDEX_FILE: `${folder}/fixture-index`,
  };
  const git = (args: readonly string[], input?: string | Buffer): string =>
    execFileSync("git", ["-c", "core.protectNTFS=false", ...args], {
      env,
      cwd: root,
      encoding: "utf8",
      input: input ?? "",
      maxBuffer: 1 << 28,
    }).trim();
  git([
    "init",
    "--quiet",
    "--bare",
    "--template=",
    `--object-format=${format}`,
    "--initial-branch=main",
    folder,
  ]);
  let last: string | null = null;
  const commit = (files: Readonly<Record<string, FixtureFile>>, options: CommitOptions = {}): string => {
    const parent = options.parent === undefined ? last : options.parent;
    git(parent === null ? ["read-tree", "--empty"] : ["read-tree", parent]);
    const zeros = "0".repeat(format === "sha256" ? 64 : 40);
    const lines = Object.entries(files).map(([name, file]) =>
      file === null ? `0 ${zeros}\t${name}` : entryLine(git, name, file),
    );
    git(["update-index", "-z", "--index-info"], lines.map((line) => `${line}\0`).join(""));
    const parents = parent === null ? [] : ["-p", parent];
    const id = git(["commit-tree", git(["write-tree"]), ...parents, "-m", options.title ?? "A commit"]);
    git(["update-ref", `refs/heads/${options.branch ?? "main"}`, id]);
    last = id;
    return id;
  };
  return { folder, commit, git };
}

function entryLine(git: GitFixture["git"], name: string, file: Exclude<FixtureFile, null>): string {
  const text = typeof file === "string" ? file : "link" in file ? file.link : file.text;
  const mode = typeof file === "string" ? "100644" : "link" in file ? "120000" : "100755";
  return `${mode} ${git(["hash-object", "-w", "--stdin"], text)}\t${name}`;
}
