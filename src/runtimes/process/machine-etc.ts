import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../kernel/atomic-file.ts";
import type { Mount, SandboxUser } from "./sandbox-spec.ts";

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
export async function prepareEtc(folder: string): Promise<readonly Mount[]> {
  await mkdir(join(folder, "ssl"), { recursive: true, mode: 0o755 });
  const mounts: Mount[] = [{ from: folder, at: "/etc", kind: "folder", writable: false }];
  for (const name of ETC_FOLDERS.filter((name) => isFolder(join("/etc", name)))) {
    await mkdir(join(folder, name), { recursive: true, mode: 0o755 });
    mounts.push({
      from: join("/etc", name),
      at: join("/etc", name),
      kind: "folder",
      writable: false,
    });
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
