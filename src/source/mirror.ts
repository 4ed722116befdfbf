import { access, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../faults/fault.ts";
import { randomToken } from "../kernel/ids.ts";
import { RunError } from "../kernel/run.ts";
import type { Git, GitTask } from "./git.ts";
import type { Guard } from "./guard.ts";
import type { CheckedRemote } from "./remote.ts";
import type { CheckedOut } from "./source.ts";

const LOCAL_MS = 60_000;
/** The caller's signal is the real deadline; these bound a caller that has none. */
const FETCH_MS = 30 * 60_000;
const FILL_MS = 2 * 60 * 60_000;
/** Refs that keep deployed commits from being collected, and that fetches are negotiated from. */
const KEPT_COMMITS = 40;

export interface Mirror {
  readonly folder: string;
  /** What the mirror knows of a commit; null when it lacks it. No network. Throws `RunError` when the mirror is damaged. */
  describe(commit: string, signal: AbortSignal): Promise<CheckedOut | null>;
  /** Fetches the commit: alone (depth 1) until the mirror is whole, afterwards with what lies between. */
  fetch(commit: string, options: Transfer): Promise<void>;
  /** Fetches the history of everything fetched alone, then collects garbage when there is much. */
  complete(options: Transfer): Promise<void>;
  /** Throws it away; the next fetch begins anew. */
  discard(): Promise<void>;
}

export interface Transfer {
  readonly remote: CheckedRemote;
  readonly guard: Omit<Guard, "mirror">;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

interface Parts {
  readonly git: Git;
  readonly folder: string;
  readonly lockFile: string;
}

export function openMirror(git: Git, folder: string, lockFile: string): Mirror {
  const parts: Parts = { git, folder, lockFile };
  return {
    folder,
    describe: (commit, signal) => describe(parts, commit, signal),
    fetch: (commit, options) => fetchCommit(parts, commit, options),
    complete: (options) => complete(parts, options),
    discard: () => discard(folder),
  };
}

async function describe(parts: Parts, commit: string, signal: AbortSignal): Promise<CheckedOut | null> {
  if (!(await exists(join(parts.folder, "HEAD")))) return null;
  const format = "--format=%H%x00%s%x00%an";
  try {
    const { stdout } = await parts.git({
      args: ["log", "-1", "--no-color", "--no-decorate", format, "--end-of-options", commit, "--"],
      places: { gitDir: parts.folder },
      timeoutMs: LOCAL_MS,
      signal,
    });
    const [id = "", title = "", author = ""] = stdout.replace(/\n$/, "").split("\0");
    // the id of a tag object leads to its commit, which is not what was asked for
    return id === commit ? { commit, title, author } : null;
  } catch (error) {
    if (error instanceof RunError && /^fatal: bad (object|revision) /m.test(error.stderr)) return null;
    throw error;
  }
}

async function fetchCommit(parts: Parts, commit: string, options: Transfer): Promise<void> {
  await ensureFolder(parts, commit.length === 64 ? "sha256" : "sha1", options.signal);
  const depth = (await exists(wholeMark(parts.folder))) ? [] : ["--depth=1"];
  const ref = `refs/fairlead/${String(Date.now()).padStart(14, "0")}-${commit}`;
  await transfer(parts, [...depth], `${commit}:${ref}`, options, FETCH_MS);
}

async function complete(parts: Parts, options: Transfer): Promise<void> {
  const kept = await listKept(parts, options.signal);
  const newest = kept.at(-1);
  if (newest === undefined) return;
  if (!(await exists(wholeMark(parts.folder)))) {
    if (await exists(join(parts.folder, "shallow"))) {
      const commit = newest.slice(newest.lastIndexOf("-") + 1);
      await transfer(parts, ["--unshallow"], `${commit}:${newest}`, options, FILL_MS);
    }
    // a mark of our own: a commit the server has lost stays in `shallow` for good
    await writeFile(wholeMark(parts.folder), "");
  }
  await tidy(parts, kept, options);
}

async function transfer(
  parts: Parts,
  depth: readonly string[],
  refspec: string,
  options: Transfer,
  timeoutMs: number,
): Promise<void> {
  const { remote } = options;
  await parts.git({
    args: [...fetchWords(depth), "--end-of-options", remote.url.href, refspec],
    ...guarded(parts, options),
    settings: remote.settings,
    env: remote.env,
    credential: remote.credential,
    files: remote.files,
    timeoutMs,
    signal: options.signal,
    onLine: options.onLine,
  });
}

/** The address is a word, not a stored remote; nothing about it is written down (`FETCH_HEAD`, config, reflog). */
function fetchWords(depth: readonly string[]): string[] {
  return [
    "fetch",
    ...depth,
    "--no-tags",
    "--no-write-fetch-head",
    "--no-auto-maintenance",
    "--no-recurse-submodules",
    "--no-progress",
  ];
}

async function tidy(parts: Parts, kept: readonly string[], options: Transfer): Promise<void> {
  const old = kept.slice(0, -KEPT_COMMITS).map((ref) => `delete ${ref}\n`);
  const common = { ...guarded(parts, options), timeoutMs: FILL_MS, signal: options.signal };
  if (old.length > 0) await parts.git({ ...common, args: ["update-ref", "--stdin"], input: old.join("") });
  // once more than 20 fetches have left a pack each; drops what nothing refers to for two weeks
  const settings = ["gc.auto=6700", "gc.autoPackLimit=20"];
  await parts.git({ ...common, args: ["gc", "--auto", "--quiet"], settings });
}

/** Full names of the kept commits' refs, oldest first. */
async function listKept(parts: Parts, signal: AbortSignal): Promise<string[]> {
  if (!(await exists(join(parts.folder, "HEAD")))) return [];
  const { stdout } = await parts.git({
    args: ["for-each-ref", "--format=%(refname)", "--sort=refname", "refs/fairlead/"],
    places: { gitDir: parts.folder },
    timeoutMs: LOCAL_MS,
    signal,
  });
  return stdout.split("\n").filter((ref) => ref !== "");
}

function guarded(parts: Parts, options: Transfer): Pick<GitTask, "places" | "guard"> {
  return {
    places: { gitDir: parts.folder },
    guard: { ...options.guard, mirror: { lockFile: parts.lockFile, folder: parts.folder } },
  };
}

/** Made beside its place and renamed: a mirror is there whole or not at all. */
async function ensureFolder(parts: Parts, format: "sha1" | "sha256", signal: AbortSignal): Promise<void> {
  if (await exists(join(parts.folder, "HEAD"))) return;
  await rm(parts.folder, { recursive: true, force: true });
  const draft = `${parts.folder}.${randomToken(6)}.new`;
  await mkdir(draft, { recursive: true, mode: 0o700 });
  const words = ["init", "--quiet", "--bare", "--template=", `--object-format=${format}`];
  try {
    await parts.git({
      args: [...words, "--end-of-options", draft],
      settings: ["init.defaultBranch=main"],
      timeoutMs: LOCAL_MS,
      signal,
    });
    await rename(draft, parts.folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(join(parts.folder, "HEAD")))) throw error; // else another process was first
  }
}

async function discard(folder: string): Promise<void> {
  const trash = `${folder}.${randomToken(6)}.old`;
  try {
    await rename(folder, trash);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
    throw error;
  }
  await rm(trash, { recursive: true, force: true, maxRetries: 3 });
}

function wholeMark(folder: string): string {
  return join(folder, "fairlead-whole");
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

/** Thrown when the server has been asked and does not have the commit. */
export function commitMissing(commit: string, host: string): Fault {
  return Fault.of("GIT_FAILED", "commit_missing", { evidence: { commit, host } });
}
