import { join } from "node:path";
import { isPlainFile } from "./inside.ts";
import type { Manifest } from "./manifest.ts";

/** The package manager a repository was made with, told by its lockfile. */
export interface Manager {
  readonly install: readonly [string, ...string[]];
  readonly runScript: (name: string) => readonly [string, ...string[]];
  readonly lockfile: string | null;
  readonly evidence: string;
}

const LOCKFILES = [
  { file: "package-lock.json", manager: "npm", install: ["npm", "ci", "--no-audit", "--no-fund"] },
  { file: "npm-shrinkwrap.json", manager: "npm", install: ["npm", "ci", "--no-audit", "--no-fund"] },
  { file: "pnpm-lock.yaml", manager: "pnpm", install: ["pnpm", "install", "--frozen-lockfile"] },
  { file: "yarn.lock", manager: "yarn", install: ["yarn", "install", "--frozen-lockfile"] },
] as const;

/** By lockfile; without one npm, or what `packageManager` names, installs what it resolves today, and the log says so. */
export async function findManager(directory: string, manifest: Manifest): Promise<Manager> {
  for (const { file, manager, install } of LOCKFILES) {
    if (!(await isPlainFile(directory, file))) continue;
    return {
      install: isModernYarn(manager, manifest) ? ["yarn", "install", "--immutable"] : install,
      runScript: (name) => [manager, "run", name],
      lockfile: join(directory, file),
      evidence: `${file}: packages are installed by ${manager}.`,
    };
  }
  const named = /^(npm|pnpm|yarn)@/.exec(manifest.packageManager ?? "")?.[1] ?? "npm";
  return {
    install: [named, "install"],
    runScript: (name) => [named, "run", name],
    lockfile: null,
    evidence: `No lockfile: ${named} resolves the versions anew each time. Commit one to deploy what you tested.`,
  };
}

/** From version 2 on Yarn calls it otherwise. */
function isModernYarn(manager: string, manifest: Manifest): boolean {
  return manager === "yarn" && /^yarn@[2-9]/.test(manifest.packageManager ?? "");
}
