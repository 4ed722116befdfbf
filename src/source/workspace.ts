import { createHash } from "node:crypto";
import { lstat, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Fault } from "../faults/fault.ts";
import { RunError } from "../kernel/run.ts";
import type { Git, GitTask } from "./git.ts";
import type { Guard } from "./guard.ts";

const TREE_MS = 15 * 60_000;
const NAMES_LIMIT = 256 * 1024 * 1024;

export interface WorkspaceOptions {
  readonly git: Git;
  /** The tree people's builds run in. */
  readonly folder: string;
  /** Ours, outside of it: index and marks. */
  readonly state: string;
  /** The number of our claim. */
  readonly claim: number;
  readonly mirror: string;
  readonly guard: Guard;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

/** The index of a workspace: outside of it, because a build may write everything inside. */
export function indexFile(state: string): string {
  return join(state, "index");
}

/**
 * Makes the tree equal to the commit, whatever a build did to it, and looks again before it says so. Files git does not know are kept,
 * unless they are in the way. Throws `RunError` when the mirror is damaged, `GIT_FAILED` when the tree cannot be made equal.
 */
export async function bringTreeTo(commit: string, options: WorkspaceOptions): Promise<void> {
  await ensureRealFolder(options.folder);
  if (!(await isIndexSound(options.state, commit))) await emptyWorkspace(options);
  await finishInterrupted(options);
  await writeFile(unfinishedMark(options, options.claim), commit);
  let differing = await firstTry(commit, options);
  if (differing.length > 0) {
    await unblock(await listFolders(commit, options), options);
    differing = await readAndCompare(commit, options);
  }
  if (differing.length > 0) {
    await emptyWorkspace(options);
    differing = await readAndCompare(commit, options);
  }
  if (differing.length > 0) {
    throw Fault.of("GIT_FAILED", "", {
      message: "The workspace does not become equal to the commit: does something write to it?",
      evidence: { commit, files: differing.slice(0, 5).join(", ").slice(0, 1000) },
    });
  }
  await rm(unfinishedMark(options, options.claim), { force: true });
  await writeFile(join(options.state, KNOWN_FOLDER), await identityOf(options.folder));
}

/** Which folder the index was last compared with: another with the same name is a copy. */
const KNOWN_FOLDER = "folder";

async function identityOf(folder: string): Promise<string> {
  const { ino, uid } = await lstat(folder);
  return `${ino} ${uid === process.getuid?.() ? "own" : "handed over"}`;
}

/** git reads an index without checking its sum, and one that was cut short as one with fewer files: those would be left lying about. */
async function isIndexSound(state: string, commit: string): Promise<boolean> {
  const [algorithm, length] = commit.length === 64 ? (["sha256", 32] as const) : (["sha1", 20] as const);
  try {
    const index = await readFile(indexFile(state));
    const sum = createHash(algorithm).update(index.subarray(0, -length)).digest();
    return sum.equals(index.subarray(-length));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return true; // the first checkout
    throw error;
  }
}

const EMPTY = `index=$1; cd -- "$2" || exit 1
rm -f -- "$index"
chmod -R u+rwX . # a build may have taken our rights to its folders away
find . -mindepth 1 -maxdepth 1 -exec rm -rf -- {} +`;

/**
 * Forgets what was known of the tree and empties it: after damage nobody can say which files were git's. Killed half-way, it is done
 * again. A program does it, because only a program can hold the lock.
 */
export async function emptyWorkspace(options: WorkspaceOptions): Promise<void> {
  await writeFile(unfinishedMark(options, options.claim), "");
  const { git, guard, signal } = options;
  const args = ["-c", EMPTY, "sh", indexFile(options.state), options.folder];
  await git({ instead: "sh", args, guard, signal, timeoutMs: TREE_MS });
}

/**
 * A checkout that was killed has written files its index does not know: a later commit without them would leave them lying about.
 * So it is brought to its end first. Marks carry the number of their claim: a worker that wakes up late can only leave its own.
 */
async function finishInterrupted(options: WorkspaceOptions): Promise<void> {
  for (const claim of await listMarks(options.state)) {
    const mark = unfinishedMark(options, claim);
    await finish(await readFile(mark, "utf8"), options);
    if (claim !== options.claim) await rm(mark, { force: true });
  }
}

async function finish(commit: string, options: WorkspaceOptions): Promise<void> {
  if (commit === "") return emptyWorkspace(options);
  try {
    await readTree(commit, options);
  } catch (error) {
    const isRefused = error instanceof RunError && error.failure === "exit";
    if (!isRefused) throw error;
    await emptyWorkspace(options); // a commit the mirror has lost, or one that git refuses to write
  }
}

/** Claims with an unfinished checkout, the oldest first. */
async function listMarks(state: string): Promise<number[]> {
  const names = await readdir(state);
  return names
    .flatMap((name) => /^unfinished-(\d{1,15})$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** git looks at all names before it writes the first: a commit it refuses has changed nothing, and there is nothing to finish. */
async function firstTry(commit: string, options: WorkspaceOptions): Promise<string[]> {
  try {
    return await readAndCompare(commit, options);
  } catch (error) {
    const isRefusedName = error instanceof RunError && /^error: invalid path /m.test(error.stderr);
    if (isRefusedName) await rm(unfinishedMark(options, options.claim), { force: true });
    throw error;
  }
}

/** The names that differ from the commit afterwards. A refused write is an answer too: everything differs. */
async function readAndCompare(commit: string, options: WorkspaceOptions): Promise<string[]> {
  try {
    await readTree(commit, options);
  } catch (error) {
    if (error instanceof RunError && isRefusedWrite(error)) return ["."];
    throw error;
  }
  const { stdout } = await gitIn(options, ["diff-files", "--name-only", "-z", "--ignore-submodules=all"]);
  return stdout.split("\0").filter((name) => name !== "");
}

/** Rights and names in the way can be helped; a full disk cannot. */
function isRefusedWrite({ failure, stderr }: RunError): boolean {
  if (failure !== "exit" || /No space left|Disk quota/.test(stderr)) return false;
  return /Permission denied|unable to (unlink|create file|write)/.test(stderr);
}

async function readTree(commit: string, options: WorkspaceOptions): Promise<void> {
  await recognise(commit, options);
  await gitIn(options, ["read-tree", "--reset", "-u", "--end-of-options", commit]);
}

/**
 * After a build the files belong to the user it ran as, and in a copy of a workspace each is another file: git would take every one for
 * changed and write it anew. So their content is compared first (40 MB: 0.1 s instead of 0.4 to 1.4 s); what differs is left to `readTree`.
 */
async function recognise(commit: string, options: WorkspaceOptions): Promise<void> {
  const known = await readFile(join(options.state, KNOWN_FOLDER), "utf8").catch(() => ""); // then it is compared once
  const now = await identityOf(options.folder);
  if (known === now && now.endsWith(" own")) return;
  if ((await lstatOrNull(indexFile(options.state))) === null) return; // the first checkout
  const gitDir = await ensurePlainFolder(options.state, commit.length === 64 ? "sha256" : "sha1");
  await gitIn({ ...options, mirror: gitDir }, ["update-index", "-q", "--refresh"]);
}

/**
 * A repository of nothing but the rule that files are compared byte by byte: a build may have written a `.gitattributes` by which other
 * content counts as the same.
 */
async function ensurePlainFolder(state: string, format: "sha1" | "sha256"): Promise<string> {
  const folder = join(state, "plain.git");
  for (const name of ["objects", "refs", "info"])
    await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
  const version =
    format === "sha1"
      ? "[core]\nrepositoryformatversion = 0\n"
      : "[core]\nrepositoryformatversion = 1\n[extensions]\nobjectFormat = sha256\n";
  await writeFile(join(folder, "config"), version);
  await writeFile(
    join(folder, "info", "attributes"),
    "* -text -crlf -eol -ident -filter -working-tree-encoding\n",
  );
  await writeFile(join(folder, "HEAD"), "ref: refs/heads/none\n");
  return folder;
}

async function gitIn(options: WorkspaceOptions, args: readonly string[]): Promise<{ stdout: string }> {
  const task: GitTask = {
    args,
    places: { gitDir: options.mirror, workTree: options.folder, index: indexFile(options.state) },
    guard: options.guard,
    timeoutMs: TREE_MS,
    maxOutputBytes: NAMES_LIMIT,
    signal: options.signal,
  };
  return options.git(task);
}

/** Every folder of the commit and of what the index has, parents before children. */
async function listFolders(commit: string, options: WorkspaceOptions): Promise<string[]> {
  // one after the other: each holds the workspace's lock
  const wanted = await gitIn(options, ["ls-tree", "-r", "-z", "--name-only", "--end-of-options", commit]);
  const had = await gitIn(options, ["ls-files", "-z"]);
  const folders = new Set<string>();
  for (const name of `${wanted.stdout}${had.stdout}`.split("\0")) {
    for (let folder = dirname(name); folder !== "."; folder = dirname(folder)) folders.add(folder);
  }
  return [...folders].sort();
}

/**
 * Removes links that stand where folders belong (git would compare the files behind them and find nothing to do) and gives folders
 * their owner's rights back. Never follows a link: what lies behind one is not ours.
 */
async function unblock(folders: readonly string[], options: WorkspaceOptions): Promise<void> {
  const links: string[] = [];
  if (await isClosed(options.folder)) await allowOwner([options.folder], options);
  let blocked = "";
  for (const folder of folders) {
    if (blocked !== "" && folder.startsWith(`${blocked}/`)) continue;
    const path = join(options.folder, folder);
    const stats = await lstatOrNull(path);
    if (!stats?.isDirectory()) blocked = folder;
    if (stats?.isSymbolicLink()) links.push(path);
    if (stats?.isDirectory() && (await isClosed(path))) await allowOwner([path], options);
  }
  await runOn("rm", ["-f"], links, options);
}

async function isClosed(folder: string): Promise<boolean> {
  return ((await lstat(folder)).mode & 0o700) !== 0o700;
}

async function allowOwner(folders: readonly string[], options: WorkspaceOptions): Promise<void> {
  await runOn("chmod", ["u+rwx"], folders, options); // one by one: what is inside is seen only afterwards
}

/** A program does it, because only a program can hold the lock. In portions: the kernel bounds the words of a command. */
async function runOn(
  program: string,
  words: readonly string[],
  paths: readonly string[],
  options: WorkspaceOptions,
): Promise<void> {
  const { git, guard, signal } = options;
  for (let from = 0; from < paths.length; from += 200) {
    const args = [...words, "--", ...paths.slice(from, from + 200)];
    await git({ instead: program, args, guard, signal, timeoutMs: TREE_MS });
  }
}

async function lstatOrNull(path: string): Promise<Awaited<ReturnType<typeof lstat>> | null> {
  try {
    return await lstat(path);
  } catch {
    return null;
  }
}

async function ensureRealFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (!(await lstat(folder)).isDirectory()) {
    throw Fault.of("GIT_FAILED", "", { message: "The workspace is a link, not a folder" });
  }
}

function unfinishedMark(options: Pick<WorkspaceOptions, "state">, claim: number): string {
  return join(options.state, `unfinished-${claim}`);
}
