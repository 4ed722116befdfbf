import { launch, RunError } from "../../kernel/run.ts";
import type { Project } from "../state.ts";
import type { Repositories } from "./repositories.ts";

export interface Commit {
  readonly id: string;
  readonly parentIds: readonly string[];
  readonly authorName: string;
  readonly authorEmail: string;
  readonly authoredDate: string;
  readonly committerName: string;
  readonly committerEmail: string;
  readonly committedDate: string;
  readonly trailers: readonly (readonly [string, string])[];
  readonly title: string;
  readonly message: string;
}

const TRAILERS = "%(trailers:only,unfold,separator=%x01,key_value_separator=%x02)";
const FORMAT = ["%H", "%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", TRAILERS, "%B"].join("%x00");
const FIELDS = 10;

/** git keeps refs as files: one cannot be the folder of another. */
export function isBarred(refs: ReadonlyMap<string, string>, wanted: string): boolean {
  return [...refs.keys()].some((ref) => ref.startsWith(`${wanted}/`) || wanted.startsWith(`${ref}/`));
}

/** All refs of branches and tags with what they point at. */
export async function readRefs(box: Repositories, project: Project): Promise<Map<string, string>> {
  const output = await box.git(project, [
    "for-each-ref",
    "--format=%(objectname) %(refname)",
    "refs/heads",
    "refs/tags",
  ]);
  const lines = output.split("\n").filter((line) => line !== "");
  return new Map(lines.map((line) => [line.slice(line.indexOf(" ") + 1), line.slice(0, line.indexOf(" "))]));
}

/** Longer names cannot be files, and the longest of all no words of a program. */
const LONGEST_REVISION = 4096;

/** The object a revision names, peeled to a commit; null when there is none. */
export async function resolveCommit(
  box: Repositories,
  project: Project,
  revision: string,
): Promise<string | null> {
  if (revision === "" || revision.includes("\0") || revision.length > LONGEST_REVISION) return null;
  const words = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
  const output = await tolerant(box.git(project, words));
  return output === null ? null : output.trim();
}

export async function findCommit(
  box: Repositories,
  project: Project,
  revision: string,
): Promise<Commit | null> {
  const sha = await resolveCommit(box, project, revision);
  if (sha === null) return null;
  const [commit = null] = await readCommits(box, project, ["--max-count=1", sha]);
  return commit;
}

/** Commits as `git log` gives them, newest first. `words` are options and revisions of ours, never of a client. */
export async function readCommits(
  box: Repositories,
  project: Project,
  words: readonly string[],
  paths: readonly string[] = [],
): Promise<Commit[]> {
  const output = await box.git(project, [
    "log",
    "-z",
    `--format=tformat:${FORMAT}`,
    ...words,
    "--",
    ...paths,
  ]);
  const fields = output.split("\0");
  const commits: Commit[] = [];
  for (let at = 0; at + FIELDS < fields.length; at += FIELDS)
    commits.push(commitOf(fields.slice(at, at + FIELDS)));
  return commits;
}

function commitOf(fields: readonly string[]): Commit {
  const field = (at: number): string => fields[at] ?? "";
  const words = (at: number, separator: string): string[] =>
    field(at)
      .split(separator)
      .filter((word) => word !== "");
  const message = field(9);
  return {
    id: field(0),
    parentIds: words(1, " "),
    authorName: field(2),
    authorEmail: field(3),
    authoredDate: withMilliseconds(field(4)),
    committerName: field(5),
    committerEmail: field(6),
    committedDate: withMilliseconds(field(7)),
    trailers: words(8, "\u0001").map(trailerOf),
    title: message.trimStart().split("\n")[0] ?? "",
    message,
  };
}

function trailerOf(text: string): readonly [string, string] {
  const [key = "", value = ""] = text.split("\u0002");
  return [key, value];
}

/** `2026-01-02T03:04:05+00:00` → `2026-01-02T03:04:05.000+00:00`, as GitLab writes dates of commits. */
function withMilliseconds(date: string): string {
  return date.replace(/Z$/, "+00:00").replace(/(:\d\d)([+-]\d\d:\d\d)$/, "$1.000$2");
}

export async function countCommits(
  box: Repositories,
  project: Project,
  words: readonly string[],
): Promise<number> {
  return Number((await box.git(project, ["rev-list", "--count", ...words, "--"])).trim());
}

export interface TreeEntry {
  readonly id: string;
  readonly name: string;
  readonly type: "tree" | "blob" | "commit";
  readonly path: string;
  readonly mode: string;
}

/** The entries below a folder of a commit; null when the folder does not exist. An empty path is the root. */
export async function readTree(
  box: Repositories,
  project: Project,
  commit: string,
  folder: string,
  recursive: boolean,
): Promise<TreeEntry[] | null> {
  const spec = folder === "" ? commit : `${commit}:${folder}`;
  const words = ["ls-tree", "-z", ...(recursive ? ["-r", "-t"] : []), spec];
  const output = await tolerant(box.git(project, words));
  if (output === null) return null;
  return output
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => entryOf(line, folder));
}

function entryOf(line: string, folder: string): TreeEntry {
  const tab = line.indexOf("\t");
  const [mode = "", type = "", id = ""] = line.slice(0, tab).split(" ");
  const relative = line.slice(tab + 1);
  const path = folder === "" ? relative : `${folder}/${relative}`;
  const name = path.slice(path.lastIndexOf("/") + 1);
  return { id, name, type: type === "tree" || type === "commit" ? type : "blob", path, mode };
}

/** One file of a commit; null when there is none or when it is a folder. */
export async function findFile(
  box: Repositories,
  project: Project,
  commit: string,
  path: string,
): Promise<TreeEntry | null> {
  const output = await box.git(project, ["ls-tree", "-z", commit, "--", path]);
  const line = output.split("\0")[0] ?? "";
  const entry = line === "" ? null : entryOf(line, "");
  return entry?.type === "blob" && entry.path === path ? entry : null;
}

/** The full id of a blob; null when there is no blob of that id. */
export async function findBlob(box: Repositories, project: Project, id: string): Promise<string | null> {
  if (!/^[0-9a-f]{7,40}$/.test(id)) return null;
  const output = await tolerant(box.git(project, ["rev-parse", "--verify", "--quiet", `${id}^{blob}`]));
  return output === null ? null : output.trim();
}

/** The bytes of a blob: `run` decodes text, so this reads the pipe itself. */
export async function readBlob(box: Repositories, project: Project, id: string): Promise<Buffer> {
  const cwd = await box.ensure(project);
  const child = launch("git", ["cat-file", "blob", id], {
    cwd,
    env: box.environment,
    signal: AbortSignal.timeout(60_000),
  });
  const pieces: Buffer[] = [];
  child.stderr?.resume();
  for await (const piece of child.stdout ?? []) pieces.push(Buffer.from(piece));
  const end = await child.ended;
  if (end.exitCode !== 0) throw new RunError("exit", "git", { exitCode: end.exitCode });
  return Buffer.concat(pieces);
}

/** null where git itself said no; other failures stay failures. */
async function tolerant(output: Promise<string>): Promise<string | null> {
  try {
    return await output;
  } catch (error) {
    if (error instanceof RunError && error.failure === "exit") return null;
    throw error;
  }
}
