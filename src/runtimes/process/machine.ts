import { existsSync, lstatSync, readlinkSync, realpathSync } from "node:fs";
import { access, constants, stat } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { prepareEtc } from "./machine-etc.ts";
import { isInside, type Link, type Mount, type Tools } from "./sandbox-spec.ts";

/** The first file of this name in the folders that can be run. */
export async function findProgram(name: string, path: string): Promise<string | null> {
  for (const folder of path.split(":").filter(isAbsolute)) {
    const file = join(folder, name);
    const found = await stat(file).catch(() => null);
    if (
      found?.isFile() &&
      (await access(file, constants.X_OK).then(
        () => true,
        () => false,
      ))
    )
      return file;
  }
  return null;
}

const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export async function findTools(): Promise<Tools> {
  const find = async (name: string): Promise<string | null> => findProgram(name, SYSTEM_PATH);
  return {
    sh: (await find("sh")) ?? "/bin/sh",
    setpriv: await find("setpriv"),
    unshare: await find("unshare"),
    setsid: await find("setsid"),
    prlimit: await find("prlimit"),
    bwrap: await find("bwrap"),
  };
}

/** What every sandbox sees of the machine, and the PATH in it. */
export interface Machine {
  readonly mounts: readonly Mount[];
  readonly links: readonly Link[];
  readonly path: string;
}

const SYSTEM_FOLDERS = [
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/lib32",
  "/lib64",
  "/libx32",
  "/nix/store",
  "/gnu/store",
];

/**
 * The system read-only, a small `/etc`, Node, and the package managers that the given PATH leads to, wherever they are installed:
 * of a folder below a hidden home (nvm, fnm) only `bin` and `lib/node_modules`.
 */
export async function describeMachine(options: {
  readonly nodePath: string;
  readonly path: string;
  readonly etc: string;
}): Promise<Machine> {
  const mounts: Mount[] = [];
  const links: Link[] = [];
  for (const folder of SYSTEM_FOLDERS) {
    if (!existsSync(folder)) continue;
    if (lstatSync(folder).isSymbolicLink()) links.push({ at: folder, target: readlinkSync(folder) });
    else mounts.push(readOnly(folder));
  }
  const isVisible = (path: string): boolean => mounts.some((mount) => isInside(path, mount.at));
  const nodeFolder = dirname(realpathSync(options.nodePath));
  if (!isVisible(nodeFolder)) mounts.push(readOnly(nodeFolder));
  const path = [nodeFolder];
  for (const folder of [...options.path.split(":"), ...SYSTEM_PATH.split(":")].filter(isAbsolute)) {
    if (!existsSync(folder)) continue;
    const real = realpathSync(folder);
    const modules = join(dirname(real), "lib", "node_modules");
    if (!isVisible(real)) {
      if (!existsSync(join(modules, "npm")) || isTooBroad(real)) continue;
      mounts.push(readOnly(real), readOnly(modules));
    }
    if (!path.includes(real)) path.push(real);
  }
  mounts.push(...(await prepareEtc(options.etc)));
  return { mounts, links, path: path.join(":") };
}

function readOnly(path: string): Mount {
  return { from: path, at: path, kind: "folder", writable: false };
}

function isTooBroad(path: string): boolean {
  return path.split("/").length < 4;
}
