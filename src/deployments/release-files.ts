import { constants, type BigIntStats } from "node:fs";
import {
  chmod,
  copyFile,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  symlink,
  utimes,
} from "node:fs/promises";
import { join, relative } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../kernel/atomic-file.ts";
import { run } from "../kernel/run.ts";
import { copyTree } from "./copy-tree.ts";

/**
 * What a release was copied from: each file with its inode, change time and size at that moment. The kernel alone sets the change time, so a
 * file that still has all three has not been touched since, and its copy in that release is the copy that would be made now.
 */
const memoryShape = z.object({
  boot: z.string(),
  /** The folder it was copied from, seen from the workspace. */
  place: z.string(),
  release: z.string(),
  files: z.record(z.string(), z.string()),
});
type Memory = z.infer<typeof memoryShape>;

export interface ReleaseCopy {
  /** What was built in. */
  readonly workspace: string;
  /** The folder that was built: the workspace or one in it. */
  readonly from: string;
  /** The release, which must not exist. */
  readonly to: string;
  /** Where to remember what was copied, for the next release. */
  readonly memory: string;
  /** False where a running app could write its release: then nothing is shared between releases. */
  readonly share: boolean;
  /** The workspace is of no further use: if it is the release as a whole, it is moved instead of copied. */
  readonly fresh: boolean;
  readonly signal: AbortSignal;
}

/**
 * Makes a release of a folder. Files that are as they were when the last release was copied are hard links to that release, which nobody
 * writes any more; everything else is a copy, so that nothing of a release is ever shared with the workspace. The caller sees to it
 * that nothing changes the folder meanwhile. Of 1,500 files with 40 MB a push mostly changes few: linking takes 0.1 s, copying 0.4 to 1.4 s.
 */
export async function makeRelease(copy: ReleaseCopy): Promise<"copied" | "moved"> {
  const { to, share, signal } = copy;
  if (!share) return copyTree(copy.from, to, signal).then(() => "copied");
  const from = await realpath(copy.from);
  const place = relative(await realpath(copy.workspace), from) || ".";
  const tree = await listTree(from);
  if (copy.fresh && place === "." && !tree.special && !tree.linked) {
    await rename(from, to);
    await run("chmod", ["--recursive", "u+rwX,a+rX,g-w,o-w,ug-s,o-t", "--", to], {
      env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
      timeoutMs: 10 * 60_000,
      signal,
    });
    return "moved";
  }
  const last = await findMemory(copy.memory, place);
  if (tree.special || last === null) await copyTree(from, to, signal);
  else await shareTree(copy, from, tree, last);
  await writeMemory(copy.memory, { place, release: to, files: marksOf(tree) });
  return "copied";
}

/** Each file's mark, for `writeMemory`. Of a folder that nobody else knows. */
export async function listMarks(folder: string): Promise<Memory["files"]> {
  return marksOf(await listTree(folder));
}

/** `release` holds exactly what the files had when their marks were taken. */
export async function writeMemory(path: string, memory: Omit<Memory, "boot">): Promise<void> {
  await writeFileAtomic(path, JSON.stringify({ boot: await bootId(), ...memory }));
}

function marksOf(tree: Tree): Memory["files"] {
  return Object.fromEntries(tree.files.map(({ name, mark }) => [name, mark]));
}

interface File {
  readonly name: string;
  readonly mark: string;
  readonly stats: BigIntStats;
}

interface Tree {
  readonly folders: string[];
  readonly links: string[];
  readonly files: File[];
  /** Some file has another name, which may lie elsewhere. */
  linked: boolean;
  /** Something else is in it: a pipe, a socket, a name that is no text. */
  special: boolean;
}

async function listTree(root: string): Promise<Tree> {
  const tree: Tree = { folders: [], links: [], files: [], linked: false, special: false };
  const list = async (folder: string): Promise<void> => {
    const entries = await readdir(join(root, folder), { withFileTypes: true });
    const inner: string[] = [];
    await inTurns(entries, async (entry) => {
      const name = join(folder, entry.name);
      if (entry.name.includes("\uFFFD")) tree.special = true;
      else if (entry.isDirectory()) inner.push(name);
      else if (entry.isSymbolicLink()) tree.links.push(name);
      else if (!entry.isFile()) tree.special = true;
      else {
        const stats = await lstat(join(root, name), { bigint: true });
        if (stats.nlink > 1n) tree.linked = true;
        tree.files.push({ name, stats, mark: markOf(stats) });
      }
    });
    for (const name of inner) {
      tree.folders.push(name);
      await list(name);
    }
  };
  await list("");
  return tree;
}

/** Empty, which is like no other, where the file system counts whole seconds: two changes may then look like one. */
function markOf({ ino, ctimeNs, size }: BigIntStats): string {
  return ctimeNs % 1_000_000_000n === 0n ? "" : `${ino} ${ctimeNs} ${size}`;
}

async function shareTree(copy: ReleaseCopy, from: string, tree: Tree, last: Memory): Promise<void> {
  const { to, signal } = copy;
  for (const folder of ["", ...tree.folders]) {
    await mkdir(join(to, folder));
    await chmod(join(to, folder), 0o755);
  }
  await inTurns(tree.links, async (name) => symlink(await readlink(join(from, name)), join(to, name)));
  await inTurns(tree.files, async ({ name, mark, stats }) => {
    signal.throwIfAborted();
    const same = mark !== "" && Object.hasOwn(last.files, name) && last.files[name] === mark;
    if (same && (await tryLink(join(last.release, name), join(to, name)))) return;
    await copyFile(join(from, name), join(to, name), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await chmod(join(to, name), (stats.mode & 0o111n) === 0n ? 0o644 : 0o755); // never set-uid, readable for the replica's user
    await utimes(join(to, name), Number(stats.atimeMs) / 1000, Number(stats.mtimeMs) / 1000);
  });
}

/** False when the last release is gone or its file system takes no more links: then a copy is made. */
async function tryLink(existing: string, path: string): Promise<boolean> {
  try {
    await link(existing, path);
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    if (["ENOENT", "EMLINK", "EXDEV", "EPERM", "ENOTSUP"].includes(String(code))) return false;
    throw error;
  }
}

/** null: nothing to link to. After a restart of the machine too: what was written last before a power cut may not have reached the disk. */
async function findMemory(path: string, place: string): Promise<Memory | null> {
  try {
    const memory = memoryShape.parse(JSON.parse(await readFile(path, "utf8")));
    if (memory.place !== place || memory.boot !== (await bootId())) return null;
    await lstat(memory.release);
    return memory;
  } catch {
    return null; // the first release, one that was removed, or a file that cannot be read: whatever it is, copying is right
  }
}

/** Where the kernel tells none, every boot is another. */
async function bootId(): Promise<string> {
  return readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => String(performance.timeOrigin));
}

const AT_ONCE = 16;

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const lane = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, lane));
}
