import { chmod, lstat, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ifMissing } from "./fences.ts";
import { isInside } from "./sandbox-spec.ts";

/**
 * For programs that run as another user in the machine's own file tree: makes the folders they need reachable, so that others may pass
 * through the folders above but not look into them, and closes everything that lies beside the way.
 */
export async function openPassages(dataDir: string, needed: readonly string[]): Promise<void> {
  const passages = new Set<string>();
  for (const path of needed) {
    for (let above = dirname(path); isInside(above, dataDir); above = dirname(above)) passages.add(above);
  }
  for (const passage of passages) await letThrough(passage);
  for (const passage of passages) {
    for (const name of await readdir(passage)) await closeToOthers(join(passage, name));
  }
}

async function letThrough(folder: string): Promise<void> {
  const { mode } = await lstat(folder);
  if ((mode & 0o007) !== 0o001) await chmod(folder, (mode & 0o7770) | 0o001);
}

/** Not what was made a passage before: something that runs needs it. */
async function closeToOthers(path: string): Promise<void> {
  const found = await lstat(path).catch(ifMissing(null));
  if (found === null || found.isSymbolicLink() || (found.mode & 0o007) <= 1) return;
  await chmod(path, found.mode & 0o7770).catch(ifMissing(undefined));
}
