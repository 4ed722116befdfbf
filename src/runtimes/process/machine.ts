import { existsSync, lstatSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { access, constants, mkdir, readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { writeFileAtomic } from "../../kernel/atomic-file.ts";
import { isInside, type Link, type Mount, type SandboxUser, type Tools } from "./sandbox-spec.ts";

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

const ETC_FILES = [
  "hosts",
  "resolv.conf",
  "nsswitch.conf",
  "host.conf",
  "gai.conf",
  "ld.so.cache",
  "ld.so.conf",
  "localtime",
  "timezone",
  "protocols",
  "services",
  "mime.types",
  "os-release",
  "debian_version",
  "shells",
  "ssl/openssl.cnf",
];
const ETC_FOLDERS = [
  "alternatives",
  "ld.so.conf.d",
  "ssl/certs",
  "pki/tls/certs",
  "pki/ca-trust/extracted",
  "ca-certificates",
  "crypto-policies",
  "fonts",
];

/** A small `/etc` of our own: names, certificates, the linker's cache; no keys, no configuration of other programs. */
async function prepareEtc(folder: string): Promise<readonly Mount[]> {
  await mkdir(join(folder, "ssl"), { recursive: true, mode: 0o755 });
  const mounts: Mount[] = [{ from: folder, at: "/etc", kind: "folder", writable: false }];
  for (const name of ETC_FOLDERS.filter((name) => isFolder(join("/etc", name)))) {
    await mkdir(join(folder, name), { recursive: true, mode: 0o755 });
    mounts.push(readOnly(join("/etc", name)));
  }
  await refreshEtc(folder, ETC_FILES);
  await writeFileAtomic(join(folder, "passwd"), passwd(null), 0o644);
  await writeFileAtomic(join(folder, "group"), "root:x:0:\nnogroup:x:65534:\n", 0o644);
  return mounts;
}

/** `os.userInfo()` throws for a user without a line here. */
export function passwd(user: SandboxUser | null): string {
  const own = user === null || user.uid === 0 ? "" : `fairlead:x:${user.uid}:${user.gid}::/tmp:/bin/sh\n`;
  return `root:x:0:0:root:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n${own}`;
}

/** Copies what changes while a machine runs (name servers above all); a sandbox that runs sees the new file. */
export async function refreshEtc(
  folder: string,
  names: readonly string[] = ["resolv.conf", "hosts"],
): Promise<void> {
  for (const name of names) {
    const content = await readFile(join("/etc", name)).catch(() => null);
    if (content === null) continue;
    const target = join(folder, name);
    if (existsSync(target) && readFileSync(target).equals(content)) continue;
    await writeFileAtomic(target, content, 0o644);
  }
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
