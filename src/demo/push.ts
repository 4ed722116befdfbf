import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../kernel/run.ts";
import type { Secret } from "../kernel/secret.ts";

/** A developer's clone, pushing with real git over HTTP. The token goes through a pipe, as a credential helper would hand it over. */
export interface DeveloperClone {
  /** Writes the files, commits, pushes to `branch` (`main`); returns the commit's id. */
  push(files: Readonly<Record<string, string>>, message: string, branch?: string): Promise<string>;
}

export async function openClone(options: {
  readonly folder: string;
  readonly url: string;
  readonly token: Secret;
  /** Where programs are found. */
  readonly path: string;
  readonly signal: AbortSignal;
}): Promise<DeveloperClone> {
  const git = async (...args: string[]): Promise<string> => {
    const credential = { PATH: options.path, ...gitEnv(options.folder) };
    const fd3 = args[0] === "push" ? { fd3: options.token } : {};
    const result = await run("git", args, {
      cwd: options.folder,
      env: credential,
      timeoutMs: 60_000,
      signal: options.signal,
      ...fd3,
    });
    return result.stdout.trim();
  };
  await mkdir(options.folder, { recursive: true });
  await git("init", "--quiet", "--initial-branch=main");
  return {
    async push(files, message, branch = "main") {
      for (const [name, content] of Object.entries(files))
        await writeFile(join(options.folder, name), content);
      await git("add", "--all");
      await git("commit", "--quiet", "--message", message);
      await git("push", "--quiet", options.url, `HEAD:refs/heads/${branch}`);
      return git("rev-parse", "HEAD");
    },
  };
}

function gitEnv(folder: string): Record<string, string> {
  return {
    HOME: folder,
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_AUTHOR_NAME: "Ada",
    GIT_AUTHOR_EMAIL: "ada@example.com",
    GIT_COMMITTER_NAME: "Ada",
    GIT_COMMITTER_EMAIL: "ada@example.com",
    GIT_CONFIG_COUNT: "2",
    GIT_CONFIG_KEY_0: "credential.helper",
    GIT_CONFIG_VALUE_0: "",
    GIT_CONFIG_KEY_1: "credential.helper",
    GIT_CONFIG_VALUE_1:
      '!f() { test "$1" = get && echo username=oauth2 && printf "password=" && cat <&3 && echo; }; f',
  };
}
