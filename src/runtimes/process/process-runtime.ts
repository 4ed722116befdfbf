import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../../faults/fault.ts";
import type { Runtime } from "../runtime.ts";
import { buildInSandbox } from "./build.ts";
import { primeCompileCache } from "./compile-cache.ts";
import { findControlGroups, type ControlGroups } from "./control-groups.ts";
import { createFences, pruneFences, safeName } from "./fences.ts";
import { findWay, type Found } from "./isolation.ts";
import { readLog } from "./log-reader.ts";
import { describeMachine, findTools } from "./machine.ts";
import { createMutexes } from "./mutexes.ts";
import { releaseStalePorts, type PortRange } from "./ports.ts";
import { listFolders } from "./replica-files.ts";
import { isHeld, listReplicas, removeUnfinished } from "./replica-list.ts";
import type { ReplicaContext } from "./replica-launch.ts";
import { startReplica } from "./replica-start.ts";
import { endReplica } from "./replica-stop.ts";
import type { SandboxGround } from "./sandbox-request.ts";
import { sandboxUids } from "./sandbox-user.ts";
import { listWays, type Way } from "./ways.ts";

export interface ProcessRuntimeOptions {
  /** Fairlead's data directory: absolute, exists, not readable by others. Sandboxes do not see it. */
  readonly dataDir: string;
  /** The Node that runs launchers and, first in their PATH, builds and replicas. */
  readonly nodePath: string;
  /** Fairlead's program: it must answer to `__launcher <folder>` with `runLauncher` and to `__static <port> <root> [fallback]` with `runStaticServer`. */
  readonly entry: string;
  /** Ports of replicas, below those the kernel gives to outgoing connections. Default 20000 to 29999. */
  readonly portRange?: PortRange;
  /** Runs builds and replicas even where they could read Fairlead's data. */
  readonly allowUnisolated?: boolean;
  /** PATH: where the machine's package managers are. All others but HOME are passed to every program (language, proxy). */
  readonly baseEnv?: Readonly<Record<string, string>>;
  /** Bytes of a log file, of which a replica keeps two. Default 5 MiB. */
  readonly logBytes?: number;
  /** Only these ways are tried. For tests. */
  readonly methods?: readonly Way["method"][];
}

const PORTS: PortRange = { first: 20_000, last: 29_999 };
const LOG_BYTES = 5 * 1024 * 1024;

/** Replicas as processes of this machine. Ready at once; the ways of isolation are tried when first asked for. */
export async function createProcessRuntime(options: ProcessRuntimeOptions): Promise<Runtime> {
  const folder = join(options.dataDir, "runtime");
  const replicas = join(options.dataDir, "replicas");
  const fenceFolder = join(folder, "fences");
  const portFolder = join(folder, "ports");
  const emptyFolder = join(folder, "empty");
  for (const path of [replicas, fenceFolder, portFolder, emptyFolder]) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  }
  await pruneFences(fenceFolder, Date.now());
  await removeUnfinished(replicas, Date.now());
  const owners = new Set(await listFolders(replicas));
  await releaseStalePorts(portFolder, (owner) => owners.has(owner));
  const fences = createFences(fenceFolder);
  const mutexes = createMutexes();
  const found = lazily(async () => explore(options, folder, emptyFolder));
  const folderOf = (replicaId: string): string => join(replicas, safeName(replicaId));

  const context = async (): Promise<ReplicaContext> => {
    const { ground, way, groups, isolation } = await found();
    if (!isolation.isolated && options.allowUnisolated !== true) {
      throw Fault.of("RUNTIME_UNAVAILABLE", "no_isolation", { message: isolation.explanation });
    }
    const { nodePath, entry, portRange = PORTS, logBytes = LOG_BYTES } = options;
    return { ground, way, groups, fences, fenceFolder, portFolder, portRange, nodePath, entry, logBytes };
  };

  return {
    name: "process",
    isolation: async () => (await found()).isolation,
    build: async (request) => buildInSandbox(await context(), request),
    start: async (request) => {
      const ready = await context();
      return mutexes.run(request.replicaId, async () => {
        return startReplica(ready, folderOf(request.replicaId), request);
      });
    },
    stop: async (replicaId, fence, graceMs) => {
      if (fence !== null) await fences.raise(fence);
      await mutexes.run(replicaId, async () => endReplica(portFolder, folderOf(replicaId), graceMs));
    },
    list: async () => listReplicas(replicas),
    logs: (replicaId, { tailLines, follow, signal }) => {
      const replica = folderOf(replicaId);
      const isAlive = async (): Promise<boolean> => isHeld(replica);
      return readLog(join(replica, "out.log"), { tailLines, follow, signal, isAlive });
    },
  };
}

interface Explored extends Found {
  readonly ground: SandboxGround;
  readonly groups: ControlGroups | null;
}

async function explore(
  options: ProcessRuntimeOptions,
  folder: string,
  emptyFolder: string,
): Promise<Explored> {
  const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const tools = await findTools();
  const ground: SandboxGround = {
    machine: await describeMachine({
      nodePath: options.nodePath,
      path: options.baseEnv?.["PATH"] ?? "",
      etc: join(folder, "etc"),
    }),
    dataDir: options.dataDir,
    folder,
    baseEnv: withoutPlaces(options.baseEnv ?? {}),
    self,
    uids: sandboxUids(readFileSync("/proc/self/uid_map", "utf8")),
    openFiles: openFilesOf(readFileSync("/proc/self/limits", "utf8")),
  };
  const ways = listWays(tools, self.uid === 0, emptyFolder).filter(
    (way) => way.method === "none" || options.methods === undefined || options.methods.includes(way.method),
  );
  const [found, groups] = await Promise.all([
    findWay(ground, options.nodePath, ways),
    findControlGroups(),
    primeCompileCache(join(folder, "compile-cache"), options.nodePath, options.entry),
  ]);
  return { ...found, ground, groups };
}

/** PATH is worked out anew, and HOME is one that sandboxes do not see. */
function withoutPlaces(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name !== "PATH" && name !== "HOME"));
}

/** `limits` is the text of /proc/self/limits: soft limit, hard limit, unit. */
function openFilesOf(limits: string): number {
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(limits);
  return Math.min(65_536, hard === null ? 1024 : Number(hard[1]));
}

/** Runs the work when first asked for, once; an error is not kept. */
function lazily<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | null = null;
  return async () => {
    result ??= work();
    try {
      return await result;
    } catch (error) {
      result = null;
      throw error;
    }
  };
}
