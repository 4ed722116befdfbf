import { createHash } from "node:crypto";
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../kernel/atomic-file.ts";
import type { BuildPlan } from "../templates/detect.ts";

/**
 * Whether `node_modules` in the persistent workspace is what the install command would make. True only when everything an install depends
 * on is the same: lockfile, package.json, command and Node version, and no install script of the project itself, which could read any file
 * of the repository.
 */
export async function installIsReusable(
  stateDir: string,
  plan: BuildPlan,
  key: string | null,
): Promise<boolean> {
  if (key === null || plan.install === null) return false;
  const remembered = await readFile(join(stateDir, "install"), "utf8").catch(() => "");
  const folder = await findInstalled(plan.directory);
  return folder !== null && remembered === `${key} ${folder}`;
}

/** Before an install: null, so that a broken-off one is not taken for whole. After it: its key. */
export async function rememberInstall(
  stateDir: string,
  directory: string,
  key: string | null,
): Promise<void> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const folder = key === null ? null : await findInstalled(directory);
  await writeFileAtomic(join(stateDir, "install"), folder === null ? "" : `${key} ${folder}`);
}

/** After the packages that were installed in one folder have been copied to another. */
export async function moveInstall(stateDir: string, from: string, to: string): Promise<void> {
  const remembered = await readFile(join(stateDir, "install"), "utf8").catch(() => "");
  const [key, folder] = remembered.split(" ");
  if (key !== undefined && folder === (await findInstalled(from))) await rememberInstall(stateDir, to, key);
}

/** Which folder it is, not only what it is called: another one may have come to its place. */
async function findInstalled(directory: string): Promise<string | null> {
  const found = await stat(join(directory, "node_modules")).catch(() => null);
  return found?.isDirectory() ? String(found.ino) : null;
}

/** null: this install must always run. */
export async function findInstallKey(plan: BuildPlan): Promise<string | null> {
  if (plan.install === null || plan.lockfile === null) return null;
  const manifest = await readFile(join(plan.directory, "package.json"), "utf8");
  if (!isPlain(manifest)) return null;
  const hash = createHash("sha256");
  for (const part of [plan.install.join("\0"), process.version, manifest, await readFile(plan.lockfile)]) {
    hash.update(String(part.length)).update("\0").update(part);
  }
  return hash.digest("hex");
}

const INSTALL_SCRIPTS = [
  "preinstall",
  "install",
  "postinstall",
  "prepare",
  "preprepare",
  "postprepare",
  "prepublish",
];

const manifestShape = z.looseObject({
  scripts: z.record(z.string(), z.unknown()).optional(),
  workspaces: z.unknown().optional(),
});

/** One package without install scripts of its own. In a workspace other package.json files count too. */
function isPlain(manifest: string): boolean {
  const parsed = manifestShape.safeParse(JSON.parse(manifest));
  if (!parsed.success || parsed.data.workspaces !== undefined) return false;
  return !INSTALL_SCRIPTS.some((script) => Object.hasOwn(parsed.data.scripts ?? {}, script));
}
