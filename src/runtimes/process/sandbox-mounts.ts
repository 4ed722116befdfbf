import { statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { passwd } from "./machine-etc.ts";
import type { SandboxGround, SandboxRequest } from "./sandbox-request.ts";
import { isInside, type Link, type Mount, type SandboxUser } from "./sandbox-spec.ts";

/** What a sandbox with a file tree of its own sees, in the order in which it is placed. */
export async function mountsOf(
  ground: SandboxGround,
  request: SandboxRequest,
  user: SandboxUser,
  tmp: string,
): Promise<{ readonly mounts: readonly Mount[]; readonly links: readonly Link[] }> {
  const people = join(request.launchFolder, "passwd");
  await writeFile(people, passwd(user), { mode: 0o644 });
  const { path, writable } = request.folder;
  const given = [
    ...request.readOnly.map(show),
    ...bothPlaces(path, "/app", writable),
    ...(request.cache === null ? [] : bothPlaces(request.cache, "/cache", true)),
  ];
  const { machine, dataDir } = ground;
  const used = [...machine.mounts, ...given];
  // A temporary folder that has to hold mount points is one in memory: in one that programs write they could leave links there.
  const holds = (folder: string): boolean => used.some((mount) => isInside(mount.at, folder));
  const hidden = machine.mounts.some((mount) => mount.from === mount.at && isInside(dataDir, mount.at));
  const mounts = [
    holds("/tmp") ? inMemory("/tmp") : folder(tmp, "/tmp", true),
    ...(holds("/var/tmp") ? [inMemory("/var/tmp")] : []),
    ...machine.mounts,
    ...(hidden ? [inMemory(dataDir)] : []),
    { from: people, at: "/etc/passwd", kind: "file", writable: false } as const,
    ...given,
  ];
  const varTmp = { at: "/var/tmp", target: "/tmp" };
  return { mounts, links: holds("/var/tmp") ? machine.links : [...machine.links, varTmp] };
}

/** At its short name, and at the machine's path too: what the caller passes may name that. */
function bothPlaces(path: string, short: string, writable: boolean): readonly Mount[] {
  const taken = ["/etc", "/proc", "/dev"].some((one) => isInside(path, one));
  return [...(taken ? [] : [folder(path, path, writable)]), folder(path, short, writable)];
}

function folder(from: string, at: string, writable: boolean): Mount {
  return { from, at, kind: "folder", writable };
}

function inMemory(at: string): Mount {
  return { from: "", at, kind: "memory", writable: true };
}

function show(path: string): Mount {
  return { from: path, at: path, kind: statSync(path).isFile() ? "file" : "folder", writable: false };
}
