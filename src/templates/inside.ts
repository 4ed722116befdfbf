import { lstat, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";

/** Whether `folder/path`, with every link resolved, lies in `folder`. False when it does not exist. */
export async function isInside(folder: string, path: string): Promise<boolean> {
  if (isAbsolute(path)) return false;
  const [base, target] = await Promise.all([
    realpath(folder),
    realpath(join(folder, path)).catch(() => null),
  ]);
  if (target === null) return false;
  const way = relative(base, target);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** A regular file, not a link, of that name in the folder. */
export async function isPlainFile(folder: string, name: string): Promise<boolean> {
  const found = await lstat(join(folder, name)).catch(() => null);
  return found?.isFile() === true && isInside(folder, name);
}

export async function isFolder(folder: string, name: string): Promise<boolean> {
  const found = await stat(join(folder, name)).catch(() => null);
  return found?.isDirectory() === true;
}
