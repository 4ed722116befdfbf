import { chmod, lstat, mkdir, readdir, readFile, rm, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Fault } from "../faults/fault.ts";
import { RunError } from "../kernel/run.ts";
import { isDamage } from "./classify.ts";
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
  await finishInterrupted(options);
  await writeFile(unfinishedMark(options), commit);
  let differing = await readAndCompare(commit, options);
  if (differing.length > 0) {
    await unblock(options.folder, await listFolders(commit, options));
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
  await rm(unfinishedMark(options), { force: true });
}

/** Forgets what was known of the tree and empties it: after damage nobody can say which files were git's. Killed half-way, it is done again. */
export async function emptyWorkspace(options: Pick<WorkspaceOptions, "folder" | "state">): Promise<void> {
  await writeFile(unfinishedMark(options), "");
  await rm(indexFile(options.state), { force: true });
  await removeContents(options.folder);
}

/**
 * A checkout that was killed has written files its index does not know: a later commit without them would leave them lying about.
 * So it is brought to its end first.
 */
async function finishInterrupted(options: WorkspaceOptions): Promise<void> {
  const mark = unfinishedMark(options);
  const commit = await readMark(mark);
  if (commit === null) return;
  try {
    if (commit === "") await emptyWorkspace(options);
    else await readTree(commit, options);
  } catch (error) {
    if (error instanceof Fault || (error instanceof RunError && !isDamage(error))) throw error;
    await emptyWorkspace(options);
  }
  await rm(mark, { force: true });
}

async function readMark(mark: string): Promise<string | null> {
  try {
    return await readFile(mark, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
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

function isRefusedWrite(error: RunError): boolean {
  return (
    error.failure === "exit" && /Permission denied|unable to (unlink|create file|write)/.test(error.stderr)
  );
}

async function readTree(commit: string, options: WorkspaceOptions): Promise<void> {
  await gitIn(options, ["read-tree", "--reset", "-u", "--end-of-options", commit]);
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
async function unblock(root: string, folders: readonly string[]): Promise<void> {
  await allowOwner(root);
  const blocked: string[] = [];
  for (const folder of folders) {
    if (blocked.some((link) => folder.startsWith(`${link}/`))) continue;
    const path = join(root, folder);
    const stats = await lstatOrNull(path);
    if (stats === null || !stats.isDirectory()) blocked.push(folder);
    if (stats?.isSymbolicLink()) await unlink(path);
    if (stats?.isDirectory()) await allowOwner(path);
  }
}

async function allowOwner(folder: string): Promise<void> {
  const stats = await lstat(folder);
  if (stats.isDirectory() && (stats.mode & 0o700) !== 0o700)
    await chmod(folder, (stats.mode & 0o777) | 0o700);
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

async function removeContents(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    try {
      await rm(path, { recursive: true, force: true });
    } catch {
      await allowAll(path); // a build may have taken our rights to its folders away
      await rm(path, { recursive: true, force: true });
    }
  }
}

async function allowAll(path: string): Promise<void> {
  if (!(await lstat(path)).isDirectory()) return;
  await allowOwner(path);
  for (const name of await readdir(path)) await allowAll(join(path, name));
}

function unfinishedMark(options: Pick<WorkspaceOptions, "state">): string {
  return join(options.state, "unfinished");
}
