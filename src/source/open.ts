import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createGit, findGitTools } from "./git.ts";
import { checkOut } from "./check-out.ts";
import { fillMirror } from "./fill-mirror.ts";
import { openMirror } from "./mirror.ts";
import { mirrorName, type SourceLog, type SourceParts } from "./parts.ts";
import type { Source } from "./source.ts";
import { createTurns } from "./turns.ts";

const FORGET_MS = 10 * 60_000;
const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface SourceOptions {
  /** Fairlead's data directory: mirrors, locks and certificate files are kept below `<dataDir>/source`. */
  readonly dataDir: string;
  readonly log?: SourceLog;
  /** The git program: a name looked for in `searchPath`, or a path. Default `git`. */
  readonly gitPath?: string;
  /** The children's `PATH`. */
  readonly searchPath?: string;
}

/** Throws `RUNTIME_UNAVAILABLE` when git is missing or older than 2.30. */
export async function openSource(options: SourceOptions): Promise<Source> {
  const tools = await findGitTools(options.gitPath ?? "git", options.searchPath ?? SEARCH_PATH);
  if (!tools.flock || !tools.setpriv) {
    options.log?.warn(
      { flock: tools.flock, setpriv: tools.setpriv },
      "util-linux is missing: a git whose Fairlead is killed may outlive it",
    );
  }
  const root = join(resolve(options.dataDir), "source");
  const locks = join(root, "locks");
  await mkdir(join(root, "mirrors"), { recursive: true, mode: 0o700 });
  await mkdir(locks, { recursive: true, mode: 0o700 });
  const git = createGit(tools);
  const parts: SourceParts = {
    git,
    log: options.log ?? null,
    turns: createTurns(),
    caFolder: join(root, "ca"),
    mirrorOf: (key) => {
      const name = mirrorName(key);
      return openMirror(git, join(root, "mirrors", `${name}.git`), join(locks, name));
    },
    stateOf: (workspace) => `${resolve(workspace)}.git-state`,
  };
  return {
    checkOut: (request) => checkOut(parts, request),
    follow: (workspace, to) => follow(parts.stateOf(workspace), to === null ? null : parts.stateOf(to)),
    fillMirror: (remote, signal) => fillMirror(parts, remote, signal),
    forget: (key) => {
      const mirror = parts.mirrorOf(key);
      return parts.turns(mirrorName(key), "deploy", AbortSignal.timeout(FORGET_MS), () => mirror.discard());
    },
  };
}

async function follow(state: string, to: string | null): Promise<void> {
  if (to === null) return rm(state, { recursive: true, force: true });
  if (!existsSync(state)) return; // done before
  await rm(to, { recursive: true, force: true }); // of a workspace that is gone
  await rename(state, to);
}
