import { join } from "node:path";
import { isSettableName } from "./sandbox-scripts.ts";
import type { SandboxGround, SandboxRequest } from "./sandbox-request.ts";
import type { Way } from "./ways.ts";

/** Where the program finds its folders. */
export interface Places {
  readonly app: string;
  readonly cache: string | null;
  readonly tmp: string;
}

export function placesOf(way: Way, request: SandboxRequest, tmp: string): Places {
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
export function environmentOf(
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
