import type { Stats } from "node:fs";
import { constants, open, realpath, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { isInside } from "./sandbox-spec.ts";

export interface Site {
  /** Real path. Nothing outside is ever sent. */
  readonly root: string;
  /** The file, relative to the root, that answers a page request where there is no file (single-page apps). */
  readonly fallback: string | null;
}

export function splitTarget(target: string): { path: string; query: string } {
  const end = target.search(/[?#]/);
  return end < 0 ? { path: target, query: "" } : { path: target.slice(0, end), query: target.slice(end) };
}

/** The names of a path; null for what no file can be: bad encoding, NUL, a slash or a step up in disguise. */
export function parsePath(path: string): readonly string[] | null {
  if (!path.startsWith("/")) return null;
  try {
    const parts = path
      .split("/")
      .filter((part) => part !== "")
      .map(decodeURIComponent);
    return parts.some((part) => part === ".." || part === "." || /[/\\\0]/.test(part)) ? null : parts;
  } catch {
    return null;
  }
}

export interface FoundFile extends AsyncDisposable {
  readonly kind: "file" | "folder";
  readonly file: FileHandle;
  readonly stats: Stats;
  readonly name: string;
}

/** `folder`: the path lacks its last slash. With it the folder's `index.html` is meant. `about` also finds `about.html`. */
export async function findFile(
  site: Site,
  parts: readonly string[],
  slash: boolean,
): Promise<FoundFile | null> {
  const path = join(site.root, ...parts);
  if (slash || parts.length === 0) return openIn(site.root, join(path, "index.html"), "file");
  const exact = await openIn(site.root, path, null);
  if (exact?.kind !== "folder") return exact ?? (await openIn(site.root, `${path}.html`, "file"));
  await using index = await openIn(site.root, join(path, "index.html"), "file");
  if (index !== null) return exact;
  await exact[Symbol.asyncDispose]();
  return null;
}

/** The file is opened first and its real path looked at then, so that what is sent is what was judged. */
export async function openIn(root: string, path: string, wanted: "file" | null): Promise<FoundFile | null> {
  try {
    const real = await realpath(path);
    if (!isInside(real, root)) return null;
    const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await file.stat();
    const kind = stats.isFile() ? "file" : stats.isDirectory() ? "folder" : null;
    if (kind === null || (wanted !== null && kind !== wanted)) {
      await file.close();
      return null;
    }
    return { kind, file, stats, name: real, [Symbol.asyncDispose]: async () => file.close() };
  } catch (error) {
    if (error instanceof Error && "code" in error && MISSING.has(String(error.code))) return null;
    throw error;
  }
}

const MISSING: ReadonlySet<string> = new Set([
  "ENOENT",
  "ENOTDIR",
  "EACCES",
  "EPERM",
  "ELOOP",
  "ENAMETOOLONG",
  "ENXIO",
]);
