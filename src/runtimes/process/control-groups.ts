import { existsSync } from "node:fs";
import { mkdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deadline, sleep } from "../../kernel/clock.ts";
import type { Limits } from "../runtime.ts";

/** Where groups can be made on this machine; null when nowhere. */
export interface ControlGroups {
  readonly memory: string;
  readonly pids: string;
  readonly version: 1 | 2;
}

const ROOT = "/sys/fs/cgroup";
const PARENT = "fairlead";

/**
 * Finds out, by making a group, whether memory and processes of replicas can be limited: cgroup v2 with both controllers, or v1. An ordinary
 * user usually may not. Never moves a process that exists.
 */
export async function findControlGroups(): Promise<ControlGroups | null> {
  const tried: readonly ControlGroups[] = [
    { memory: join(ROOT, PARENT), pids: join(ROOT, PARENT), version: 2 },
    { memory: join(ROOT, "memory", PARENT), pids: join(ROOT, "pids", PARENT), version: 1 },
  ];
  for (const groups of tried) {
    const exists =
      groups.version === 2 ? existsSync(join(ROOT, "cgroup.controllers")) : existsSync(join(ROOT, "memory"));
    if (exists && (await canUse(groups))) return groups;
  }
  return null;
}

async function canUse(groups: ControlGroups): Promise<boolean> {
  try {
    await mkdir(groups.memory, { recursive: true });
    await mkdir(groups.pids, { recursive: true });
    if (groups.version === 2) {
      for (const parent of [ROOT, groups.memory]) {
        await writeFile(join(parent, "cgroup.subtree_control"), "+memory +pids");
      }
    }
    const made = await makeGroups(groups, `probe-${process.pid}`, { memoryMb: 64, processes: 16 });
    await removeGroups(made);
    return true;
  } catch {
    return false; // not ours to use: limits fall back to prlimit and Node's own
  }
}

/** Makes the groups of one replica and returns their folders. */
export async function makeGroups(groups: ControlGroups, name: string, limits: Limits): Promise<string[]> {
  const memory = join(groups.memory, name);
  const pids = join(groups.pids, name);
  await mkdir(memory, { recursive: true });
  await mkdir(pids, { recursive: true });
  const file = groups.version === 2 ? "memory.max" : "memory.limit_in_bytes";
  await writeFile(join(memory, file), String(limits.memoryMb * 1024 * 1024));
  await writeFile(join(pids, "pids.max"), String(limits.processes));
  return memory === pids ? [memory] : [memory, pids];
}

/** Removes groups whose processes are dead; one that is still busy is left, which costs nothing. */
export async function removeGroups(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    const signal = deadline(1_000);
    while (!(await rmdir(folder).then(() => true, isGone)) && !signal.aborted) {
      await sleep(10); // the kernel forgets the dead a moment later
    }
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** `$@` folders of groups, `--`, a program: puts itself into the groups and becomes the program. */
export const JOIN_SCRIPT = `while [ "$1" != -- ]; do echo 0 > "$1/cgroup.procs" || exit 125; shift; done
shift
exec "$@"
`;
