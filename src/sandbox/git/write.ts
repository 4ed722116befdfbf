import type { Project } from "../state.ts";
import type { Repositories } from "./repositories.ts";

export type FileChange =
  /** null removes the file. */
  | { readonly path: string; readonly content: Uint8Array | null; readonly executable?: boolean }
  /** Content that is in the repository already. */
  | { readonly path: string; readonly blob: string; readonly executable: boolean };

export interface NewCommit {
  readonly branch: string;
  /** The commit to build on; null starts a history. */
  readonly parent: string | null;
  readonly message: string;
  readonly authorName: string;
  readonly authorEmail: string;
  /** Who commits, when it is not the author. */
  readonly committer?: { readonly name: string; readonly email: string };
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly changes: readonly FileChange[];
  /** Moves a branch that has other commits, too. */
  readonly force?: boolean;
}

/** Writes one commit and moves the branch to it, with one process. The caller holds the project's turn. */
export async function writeCommit(box: Repositories, project: Project, commit: NewCommit): Promise<void> {
  const words = ["fast-import", "--quiet", "--done", ...(commit.force ? ["--force"] : [])];
  await box.git(project, words, streamOf(commit));
}

function streamOf(commit: NewCommit): Buffer {
  const when = `${Math.floor(commit.at / 1000)} +0000`;
  const author = `${plain(commit.authorName)} <${plain(commit.authorEmail)}> ${when}`;
  const { committer } = commit;
  const by = committer ? `${plain(committer.name)} <${plain(committer.email)}> ${when}` : author;
  const pieces: (string | Uint8Array)[] = [
    `commit refs/heads/${commit.branch}\nauthor ${author}\ncommitter ${by}\n`,
    ...data(Buffer.from(commit.message)),
    commit.parent === null ? "" : `from ${commit.parent}\n`,
    ...commit.changes.flatMap(changeOf),
    "done\n",
  ];
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
}

function changeOf(change: FileChange): (string | Uint8Array)[] {
  const mode = change.executable ? "100755" : "100644";
  if ("blob" in change) return [`M ${mode} ${change.blob} ${quoted(change.path)}\n`];
  if (change.content === null) return [`D ${quoted(change.path)}\n`];
  return [`M ${mode} inline ${quoted(change.path)}\n`, ...data(change.content)];
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
