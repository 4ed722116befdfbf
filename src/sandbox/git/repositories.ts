import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../kernel/run.ts";
import type { Project } from "../state.ts";
import { MESSAGE_HOOK, REF_RULES_HOOK } from "./ref-rules.ts";

const MINUTES = 60_000;
const MAX_OUTPUT = 64 * 1024 * 1024;

/** Real bare repositories on disk, named by project id so that no path of a project ever reaches the file system. */
export interface Repositories {
  readonly root: string;
  /** The whole environment of every git process here. */
  readonly environment: Readonly<Record<string, string>>;
  /** The folder of a project's repository, made when it is first needed. */
  ensure(project: Project): Promise<string>;
  /** Runs git in the repository and returns its output. Throws `RunError`. */
  git(project: Project, args: readonly string[], input?: string | Uint8Array): Promise<string>;
  /** Writers of one project wait for each other. */
  exclusively<T>(project: Project, work: () => Promise<T>): Promise<T>;
}

/** Throws a `RangeError` for a folder that another sandbox has used. */
export async function createRepositories(
  dataDir: string,
  searchPath: string,
  signal: AbortSignal,
): Promise<Repositories> {
  const root = join(dataDir, "repositories");
  const hooks = join(dataDir, "hooks");
  const environment = environmentOf(searchPath);
  if ((await mkdir(root, { recursive: true, mode: 0o700 })) === undefined) {
    throw new RangeError(`${dataDir} holds the repositories of another sandbox, which cannot be continued`);
  }
  await mkdir(hooks, { recursive: true, mode: 0o700 });
  await writeFile(join(hooks, "pre-receive"), REF_RULES_HOOK, { mode: 0o700 });
  await writeFile(join(hooks, "post-receive"), MESSAGE_HOOK, { mode: 0o700 });
  const made = new Map<number, Promise<string>>();
  const tails = new Map<number, Promise<unknown>>();
  const folderOf = (project: Project): string => join(root, `${project.id}.git`);

  const make = async (project: Project): Promise<string> => {
    const folder = folderOf(project);
    const words = [
      "init",
      "--bare",
      "--quiet",
      "--template=",
      `--initial-branch=${project.defaultBranch}`,
      folder,
    ];
    await run("git", words, { env: environment, timeoutMs: MINUTES, signal });
    await writeFile(join(folder, "config"), configuration(hooks));
    return folder;
  };
  const ensure = (project: Project): Promise<string> => {
    const known = made.get(project.id);
    if (known) return known;
    const folder = make(project);
    made.set(project.id, folder);
    folder.catch(() => made.delete(project.id)); // the next caller tries again
    return folder;
  };
  return {
    root,
    environment,
    ensure,
    git: async (project, args, input) => {
      const cwd = await ensure(project);
      const options = { cwd, env: environment, timeoutMs: 5 * MINUTES, maxOutputBytes: MAX_OUTPUT, signal };
      const result = await run("git", args, input === undefined ? options : { ...options, input });
      return result.stdout;
    },
    exclusively: (project, work) => {
      const turn = (tails.get(project.id) ?? Promise.resolve()).then(work, work);
      tails.set(project.id, turn);
      return turn;
    },
  };
}

/** Nothing of the machine's git settings reaches a sandbox, and nothing of ours reaches the machine's. */
function environmentOf(searchPath: string): Record<string, string> {
  return {
    PATH: searchPath,
    LC_ALL: "C",
    TZ: "UTC",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_LITERAL_PATHSPECS: "1",
    GIT_TERMINAL_PROMPT: "0",
  };
}

/** As Gitaly configures its repositories. No automatic maintenance: it would outlive the request that caused it. */
function configuration(hooks: string): string {
  return `[core]
	repositoryformatversion = 0
	filemode = true
	bare = true
	hooksPath = ${JSON.stringify(hooks)}
[gc]
	auto = 0
[maintenance]
	auto = false
[http]
	getanyfile = false
	receivepack = true
	uploadpack = true
[uploadpack]
	allowAnySHA1InWant = true
	allowFilter = true
[receive]
	advertisePushOptions = true
	fsckObjects = true
	autogc = false
[transfer]
	hideRefs = refs/keep-around
	hideRefs = refs/environments
	hideRefs = refs/pipelines
	hideRefs = refs/tmp
`;
}
