import { sleep } from "../kernel/clock.ts";
import { RunError } from "../kernel/run.ts";
import { ALL_REFS, fetchRemote, readHead, setDefaultBranch, type Remote } from "./git/remote.ts";
import type { Repositories } from "./git/repositories.ts";
import { readRefs } from "./git/read.ts";
import { settleDefaultBranch } from "./git/refs.ts";
import type { Seed } from "./seed.ts";
import type { Project, State } from "./state.ts";

/** Where the content of a new project comes from. */
export type Source =
  | { readonly type: "git"; readonly remote: Remote }
  | { readonly type: "fork"; readonly from: Project }
  | { readonly type: "gitlab_built_in_project_template"; readonly files: Readonly<Record<string, string>> };

/** Fills new projects in the background, as Sidekiq does. */
export interface Imports {
  /** Marks the project as `scheduled` and returns; what becomes of it is told by its `import`. */
  start(project: Project, source: Source): void;
  /** Resolves when nothing is being imported any more. */
  settled(): Promise<void>;
}

export function createImports(
  state: State,
  repositories: Repositories,
  seed: Seed,
  signal: AbortSignal,
): Imports {
  const running = new Set<Promise<void>>();
  const fill = async (project: Project, source: Source): Promise<void> => {
    const { failHalfWay, unreachable } = state.faults.imports;
    if (failHalfWay) throw new RunError("exit", "git", { stderr: HALF_WAY });
    if (unreachable && source.type === "git") throw new RunError("exit", "git", { stderr: UNREACHABLE });
    if (source.type === "git") await copy(repositories, project, source.remote, signal);
    else if (source.type === "fork") await copyWithin(repositories, source.from, project);
    else await seed.commit(project, source.files, { message: "Initialized from project template" });
  };
  const work = async (project: Project, source: Source): Promise<void> => {
    const step = (): Promise<void> => sleep(state.faults.imports.stepMs, signal);
    try {
      await step();
      mark(project, "started");
      await step();
      await fill(project, source);
      mark(project, "finished");
    } catch (error) {
      mark(project, "failed", failureText(project, source, error));
    }
  };
  return {
    start: (project, source) => {
      const url = source.type === "git" ? source.remote.url : null;
      const type = source.type === "fork" ? null : source.type;
      project.import = { type, url, status: "scheduled", error: null };
      const job = work(project, source);
      running.add(job);
      void job.finally(() => running.delete(job));
    },
    settled: async () => {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

const UNREACHABLE = "fatal: unable to access the repository: Could not resolve host";
const HALF_WAY =
  "fatal: early EOF\nerror: RPC failed; curl 18 transfer closed with outstanding read data remaining";

function mark(
  project: Project,
  status: "started" | "finished" | "failed",
  error: string | null = null,
): void {
  if (project.import) project.import = { ...project.import, status, error };
}

async function copy(
  repositories: Repositories,
  project: Project,
  remote: Remote,
  signal: AbortSignal,
): Promise<void> {
  await repositories.exclusively(project, async () => {
    const head = await readHead(repositories, remote, signal);
    await fetchRemote(repositories, project, remote, signal);
    if (head !== null) await setDefaultBranch(repositories, project, head);
    await settleDefaultBranch(repositories, project, await readRefs(repositories, project));
  });
}

async function copyWithin(repositories: Repositories, from: Project, to: Project): Promise<void> {
  if (from.emptyRepo) return;
  const folder = await repositories.ensure(from);
  await repositories.exclusively(to, async () => {
    await repositories.git(to, ["fetch", "--quiet", "--no-write-fetch-head", "--", folder, ...ALL_REFS]);
    await setDefaultBranch(repositories, to, from.defaultBranch);
    await settleDefaultBranch(repositories, to, await readRefs(repositories, to));
  });
}

/** In GitLab's words, with credentials masked as it masks them. */
function failureText(project: Project, source: Source, error: unknown): string {
  const from = source.type === "git" ? `${masked(source.remote)} ` : "";
  const words = error instanceof RunError ? error.stderr.trim().split("\n").at(-1) : "";
  return `Error importing repository ${from}into ${project.fullPath} - ${words || "the repository could not be read"}`;
}

function masked(remote: Remote): string {
  return remote.credential === null ? remote.url : remote.url.replace("//", "//*****:*****@");
}
