import { createHash } from "node:crypto";
import { chmod, chown, lchown, lstat, mkdir, mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fault } from "../../faults/fault.ts";
import type { Identity } from "./account.ts";

/** Where the parts of the server lie below Fairlead's data folder. */
export interface Layout {
  readonly root: string;
  readonly cluster: string;
  /**
   * initdb works here; it becomes `cluster` by a rename, so a half-made cluster never looks like one. Another start has another one: an
   * initdb that outlived its Fairlead tidies up after itself.
   */
  readonly fresh: string;
  readonly libraries: string;
  readonly log: string;
  readonly lock: string;
}

export function layoutOf(root: string, major: number): Layout {
  const cluster = join(root, `pg${major}`);
  return {
    root,
    cluster,
    fresh: `${cluster}.new-${process.pid}`,
    libraries: `${cluster}.lib`,
    log: `${cluster}.log`,
    lock: `${cluster}.lock`,
  };
}

/**
 * Lets the server's user through `root` and no further: the group's search bit where the group is ours to give away, else everybody's.
 * Everything below is 0700 or 0600, so what it shows is names at most. Returns how to take it back.
 */
export async function makePassable(root: string, owner: Identity["owner"]): Promise<() => Promise<void>> {
  const facts = await lstat(root);
  const mode = facts.mode & 0o7777;
  const passable = (mode & 0o001) !== 0 || (facts.gid === owner?.gid && (mode & 0o010) !== 0);
  if (owner === null || owner.uid === facts.uid || passable) return async () => {};
  if ((mode & 0o070) === 0) {
    await chown(root, facts.uid, owner.gid);
    await chmod(root, mode | 0o010);
  } else {
    await chmod(root, mode | 0o001);
  }
  return async () => {
    await chown(root, facts.uid, facts.gid);
    await chmod(root, mode);
  };
}

/** A folder of mode 0700 that belongs to `owner`. */
export async function ensurePrivateFolder(path: string, owner: Identity["owner"]): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (owner !== null) await ensureOwned(path, owner);
  await chmod(path, 0o700);
}

/** Gives a whole tree to `owner`. The top goes last: it says whether the work was finished. */
export async function ensureOwned(path: string, owner: NonNullable<Identity["owner"]>): Promise<void> {
  const facts = await lstat(path);
  if (facts.uid === owner.uid && facts.gid === owner.gid) return;
  if (facts.isDirectory()) {
    const entries = await readdir(path, { recursive: true });
    for (const entry of entries) await lchown(join(path, entry), owner.uid, owner.gid);
  }
  await lchown(path, owner.uid, owner.gid);
}

/** `sun_path` has 108 bytes with its final zero. */
const SOCKET_PATH_LIMIT = 107;

/**
 * A short folder of mode 0700 for the socket. Its name follows from the data folder, so that a crash leaves one folder and not many; when
 * somebody else holds that name, another is made.
 */
export async function ensureSocketFolder(layout: Layout): Promise<string> {
  const name = `fairlead-${shortHash(`${process.getuid?.() ?? 0}:${layout.cluster}`)}`;
  const parents = [...(process.getuid?.() === 0 ? ["/run"] : []), tmpdir(), "/tmp"];
  const failures: unknown[] = [];
  for (const parent of parents.filter((path) => join(path, name).length + 30 < SOCKET_PATH_LIMIT)) {
    try {
      return await claimFolder(parent, name);
    } catch (error) {
      failures.push(error);
    }
  }
  throw Fault.of("DATABASE_UNAVAILABLE", "", {
    message: `no folder for PostgreSQL's socket: ${parents.join(", ")} cannot be written`,
    cause: new AggregateError(failures),
  });
}

async function claimFolder(parent: string, name: string): Promise<string> {
  const path = join(parent, name);
  const made = await mkdir(path, { mode: 0o700 }).then(
    () => true,
    (error: unknown) => {
      if (isExisting(error)) return false;
      throw error;
    },
  );
  if (made || (await isUsable(path))) return path;
  return mkdtemp(`${path}-`);
}

/** A folder that an earlier start made. As root it may belong to the server's user; nobody else can have made it private to that one. */
async function isUsable(path: string): Promise<boolean> {
  const facts = await lstat(path);
  const mine = process.getuid?.() ?? 0;
  return facts.isDirectory() && (facts.uid === mine || mine === 0) && (facts.mode & 0o077) === 0;
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}

export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
