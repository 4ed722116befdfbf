import { statSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Containment } from "./containment.ts";
import { passwd, refreshEtc, type Machine } from "./machine.ts";
import { environmentText, isSettableName } from "./sandbox-scripts.ts";
import {
  isInside,
  type Link,
  type Mount,
  type SandboxSpec,
  type SandboxUser,
  type Wrapped,
} from "./sandbox-spec.ts";
import { handOver, handOverOnce, shareWithGroup, uidOf, type UidRange } from "./sandbox-user.ts";
import { openPassages } from "./passages.ts";
import type { Way } from "./ways.ts";

/** One program to run apart from Fairlead. Paths are the machine's. */
export interface SandboxRequest {
  /** Names the sandbox's processes: no two that live at the same time have the same. */
  readonly id: string;
  readonly environmentId: string;
  /** A private folder of this launch, for files that the way needs and for the sandbox's `/tmp`. */
  readonly launchFolder: string;
  /** What the program works on: in a tree of its own it finds it at `/app`, and also at the machine's path. */
  readonly folder: { readonly path: string; readonly writable: boolean };
  /** Where the program starts: the folder or one in it. */
  readonly directory: string;
  /** Kept between launches, at `/cache` and at the machine's path; holds the home folder. Without it home is `/tmp`. */
  readonly cache: string | null;
  /** More of the machine that is shown read-only. */
  readonly readOnly: readonly string[];
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** Processes and threads. */
  readonly tasks: number;
}

export interface PreparedSandbox {
  readonly wrapped: Wrapped;
  /** To be written to the first process's input after it was recorded; the input stays open until the program shall stop. */
  readonly input: string;
  readonly containment: Containment;
}

export interface SandboxGround {
  readonly machine: Machine;
  /** Passed to every program. */
  readonly baseEnv: Readonly<Record<string, string>>;
  readonly dataDir: string;
  /** `<dataDir>/runtime`. */
  readonly folder: string;
  readonly self: SandboxUser;
  readonly uids: UidRange;
  /** The most open files a program may have: 65,536, or less where this process may not have so many. */
  readonly openFiles: number;
}

/** Everything about a launch but the launch. The environment must have passed `findUnsettable`. */
export async function prepareSandbox(
  ground: SandboxGround,
  way: Way,
  request: SandboxRequest,
): Promise<PreparedSandbox> {
  const user = userOf(ground, way, request);
  const tmp = join(request.launchFolder, "tmp");
  await mkdir(tmp, { recursive: true, mode: 0o700 });
  if (way.otherUser) await handOverOnce(tmp, user.uid, user.gid);
  if (way.ownTree) await refreshEtc(join(ground.folder, "etc"));
  const places = placesOf(way, request, tmp);
  const spec: SandboxSpec = {
    ...(way.ownTree ? await mountsOf(ground, request, user, tmp) : { mounts: [], links: [] }),
    directory: join(places.app, relative(request.folder.path, request.directory)),
    argv: request.argv,
    user,
    limits: { files: ground.openFiles, tasks: way.otherUser ? request.tasks : null },
  };
  const word = `FAIRLEAD_SANDBOX=${request.id}`;
  const env = environmentOf(ground, way, request, places);
  return {
    wrapped: await way.wrap(spec, request.launchFolder),
    input: environmentText(env),
    containment: way.containment(spec, word),
  };
}

/**
 * One user for each environment: its processes are told apart by their namespaces, and what one built the other may read. Without
 * namespaces each sandbox is a user of its own, because only so can all of its processes be found; they share the environment's group.
 */
export function userOf(
  ground: SandboxGround,
  way: Way,
  request: Pick<SandboxRequest, "id" | "environmentId">,
): SandboxUser {
  if (!way.otherUser) return ground.self;
  const environment = uidOf(request.environmentId, ground.uids);
  return { uid: way.ownTree ? environment : uidOf(request.id, ground.uids), gid: environment };
}

/**
 * Gives the sandbox's user what it works on; once before the first program of a build, and before a replica. Whoever may not see a
 * file tree of its own is kept from Fairlead's by permissions.
 */
export async function handOverFolders(
  ground: SandboxGround,
  way: Way,
  request: Omit<SandboxRequest, "argv" | "env" | "readOnly" | "tasks" | "directory">,
): Promise<void> {
  if (!way.otherUser) return;
  const user = userOf(ground, way, request);
  if (request.cache !== null) await handOverOnce(request.cache, user.uid, user.gid);
  // Without a tree of its own only permissions keep a replica from writing its release.
  const owner = way.ownTree || request.folder.writable ? user.uid : ground.self.uid;
  await handOver(request.folder.path, owner, user.gid);
  if (way.ownTree) return;
  if (!request.folder.writable) await shareWithGroup(request.folder.path);
  const tmp = join(request.launchFolder, "tmp");
  const needed = [request.folder.path, tmp, ...(request.cache === null ? [] : [request.cache])];
  await mkdir(tmp, { recursive: true, mode: 0o700 });
  await openPassages(ground.dataDir, needed);
}

async function mountsOf(
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

interface Places {
  readonly app: string;
  readonly cache: string | null;
  readonly tmp: string;
}

function placesOf(way: Way, request: SandboxRequest, tmp: string): Places {
  if (!way.ownTree) return { app: request.folder.path, cache: request.cache, tmp };
  return { app: "/app", cache: request.cache === null ? null : "/cache", tmp: "/tmp" };
}

/** The name of a variable that no program can get: not a name, or a value with NUL. */
export function findUnsettable(env: Readonly<Record<string, string>>): string | null {
  const found = Object.entries(env).find(([name, value]) => !isSettableName(name) || value.includes("\0"));
  return found === undefined
    ? null
    : `the environment variable ${JSON.stringify(found[0])} cannot be passed to a program`;
}

/** What was given, and where that says nothing the few things without which programs do not work. Nothing of Fairlead's. */
function environmentOf(
  ground: SandboxGround,
  way: Way,
  request: SandboxRequest,
  places: Places,
): Record<string, string> {
  const { cache } = places;
  return {
    ...ground.baseEnv,
    PATH: ground.machine.path,
    HOME: cache ?? places.tmp,
    TMPDIR: places.tmp,
    ...(cache === null
      ? {}
      : {
          CI: "1",
          npm_config_cache: join(cache, "npm"),
          // packages from a registry of one's own have certificates that the machine knows and Node's own list does not
          NODE_USE_SYSTEM_CA: "1",
          ...pnpmStore(request.argv[0], cache),
        }),
    ...request.env,
    ...(way.method === "none" ? { FAIRLEAD_SANDBOX: request.id } : {}),
  };
}

/** pnpm would else keep its store in the workspace, because it cannot link across mounts; npm complains about a setting it does not know. */
function pnpmStore(program: string, cache: string): Record<string, string> {
  return /(^|\/)(pnpm|corepack)$/.test(program) ? { npm_config_store_dir: join(cache, "pnpm") } : {};
}
