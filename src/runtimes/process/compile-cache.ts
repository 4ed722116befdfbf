import { mkdir, readdir, readFile, stat, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeFileAtomic } from "../../kernel/atomic-file.ts";
import { run } from "../../kernel/run.ts";
import { ifMissing } from "./fences.ts";

/**
 * Never throws: without it launchers are only larger. Node writes down what it compiled of our files, types stripped: a launcher that finds it does without the type stripper and has 47 MB
 * instead of 85 MB. Node writes it when a process ends, so one that only reads the files and ends is run whenever they have changed.
 */
export async function primeCompileCache(folder: string, nodePath: string, entry: string): Promise<void> {
  try {
    await prime(folder, nodePath, entry);
  } catch {
    // a start that fails for the same reason says so itself
  }
}

async function prime(folder: string, nodePath: string, entry: string): Promise<void> {
  const stampFile = join(folder, "stamp");
  const stamp = await describeSources(entry);
  if ((await readFile(stampFile, "utf8").catch(ifMissing(""))) === stamp) return;
  await mkdir(folder, { recursive: true, mode: 0o755 });
  for (const role of ["__launcher", "__static"]) {
    await run(nodePath, [entry, role, "--prime"], { env: { NODE_COMPILE_CACHE: folder }, timeoutMs: 30_000 });
  }
  await run("/bin/chmod", ["-R", "a+rX", folder], { env: { PATH: "/usr/bin:/bin" }, timeoutMs: 30_000 });
  await writeFileAtomic(stampFile, stamp, 0o644);
}

async function describeSources(entry: string): Promise<string> {
  const own = dirname(fileURLToPath(import.meta.url));
  const kernel = join(own, "..", "..", "kernel");
  const files = [entry];
  for (const folder of [own, kernel]) {
    files.push(
      ...(await readdir(folder)).filter((name) => name.endsWith(".ts")).map((name) => join(folder, name)),
    );
  }
  const times = await Promise.all(files.map(async (file) => (await stat(file)).mtimeMs));
  return `${process.version} ${entry} ${files.length} ${Math.max(...times)}`;
}

/** Node keeps the cache apart for each user: another may read ours through a link of its name. */
export async function shareCompileCache(folder: string, own: number, other: number): Promise<void> {
  for (const name of await readdir(folder).catch(ifMissing([]))) {
    if (!name.startsWith("v") || !name.endsWith(`-${own}`)) continue;
    const link = join(folder, `${name.slice(0, -String(own).length)}${other}`);
    await symlink(name, link).catch((error: unknown) => {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    });
  }
}
