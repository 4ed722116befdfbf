import type { Project } from "../state.ts";
import type { Repositories } from "./repositories.ts";

export interface FileChange {
  readonly path: string;
  /** null removes the file. */
  readonly content: Uint8Array | null;
  readonly executable?: boolean;
}

export interface NewCommit {
  readonly branch: string;
  /** The commit to build on; null starts a history. */
  readonly parent: string | null;
  readonly message: string;
  readonly authorName: string;
  readonly authorEmail: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly changes: readonly FileChange[];
}

/** Writes one commit and moves the branch to it, with one process. The caller holds the project's turn. */
export async function writeCommit(box: Repositories, project: Project, commit: NewCommit): Promise<void> {
  await box.git(project, ["fast-import", "--quiet", "--done"], streamOf(commit));
}

function streamOf(commit: NewCommit): Buffer {
  const person = `${plain(commit.authorName)} <${plain(commit.authorEmail)}> ${Math.floor(commit.at / 1000)} +0000`;
  const pieces: (string | Uint8Array)[] = [
    `commit refs/heads/${commit.branch}\nauthor ${person}\ncommitter ${person}\n`,
    ...data(Buffer.from(commit.message)),
    commit.parent === null ? "" : `from ${commit.parent}\n`,
  ];
  for (const change of commit.changes) {
    if (change.content === null) pieces.push(`D ${quoted(change.path)}\n`);
    else {
      pieces.push(`M ${change.executable ? "100755" : "100644"} inline ${quoted(change.path)}\n`);
      pieces.push(...data(change.content));
    }
  }
  pieces.push("done\n");
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
}

function data(bytes: Uint8Array): (string | Uint8Array)[] {
  return [`data ${bytes.length}\n`, bytes, "\n"];
}

/** Names and addresses of people may not break the line of a commit. */
function plain(text: string): string {
  return text.replaceAll(/[<>\n\0]/g, "").trim();
}

function quoted(path: string): string {
  return `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

/** Whether a path may be in a repository: relative, without empty, `.`, `..` or `.git` parts. */
export function isFilePath(path: string): boolean {
  if (path === "" || path.includes("\0") || path.includes("\\")) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== ".." && !isGitFolder(part));
}

/** Names that some file system takes for `.git`. */
function isGitFolder(part: string): boolean {
  const bare = part
    .replaceAll(/\p{Cf}/gu, "")
    .replace(/[. ]+$/, "")
    .toLowerCase();
  return bare === ".git" || bare === "git~1";
}
