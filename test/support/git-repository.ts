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
    const stream = importStream(files, parent, options.title ?? "A commit");
    const id = git(["fast-import", "--quiet", "--force"], stream);
    git(["update-ref", `refs/heads/${options.branch ?? "main"}`, id]);
    last = id;
    return id;
  };
  return { folder, commit, git };
}

/** One process for any number of files. */
function importStream(
  files: Readonly<Record<string, FixtureFile>>,
  parent: string | null,
  title: string,
): Buffer {
  const person = `Ada Löwe <ada@example.com> ${Math.floor(Date.now() / 1000)} +0000`;
  const from = parent === null ? "" : `from ${parent}\n`;
  const removed = Object.entries(files).filter(([, file]) => file === null);
  const written = Object.entries(files).filter(([, file]) => file !== null);
  return Buffer.concat([
    Buffer.from("reset refs/fixture/new\n\ncommit refs/fixture/new\nmark :1\n"),
    Buffer.from(`author ${person}\ncommitter ${person}\n`),
    data(title),
    Buffer.from(from),
    ...removed.map(([name]) => Buffer.from(`D ${quoted(name)}\n`)),
    ...written.flatMap(([name, file]) => entry(name, file ?? "")),
    Buffer.from("\nget-mark :1\n"),
  ]);
}

function entry(name: string, file: Exclude<FixtureFile, null>): Buffer[] {
  const text = typeof file === "string" ? file : "link" in file ? file.link : file.text;
  const mode = typeof file === "string" ? "100644" : "link" in file ? "120000" : "100755";
  return [Buffer.from(`M ${mode} inline ${quoted(name)}\n`), data(text)];
}

function data(text: string): Buffer {
  return Buffer.concat([Buffer.from(`data ${Buffer.byteLength(text)}\n`), Buffer.from(`${text}\n`)]);
}

function quoted(name: string): string {
  return `"${name.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}
