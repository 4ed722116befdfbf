import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createSandbox, type Sandbox, type SandboxOptions } from "./sandbox.ts";
import type { NewToken } from "./seed.ts";
import type { Project, User } from "./state.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies freely
  readonly body: any;
}

export interface Scene extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly ann: User;
  readonly token: string;
  readonly project: Project;
  call(method: string, path: string, body?: unknown, token?: string | null): Promise<Answer>;
  tokenWith(given: Omit<NewToken, "user"> & { readonly user?: User }): string;
  /** A clone URL with the token in it: fine for a test, never elsewhere. */
  remote(path?: string, token?: string): string;
  /** Runs git in a folder of its own; `-C` words are the test's. */
  git(...words: string[]): Promise<{ readonly ok: boolean; readonly output: string }>;
}

const run = promisify(execFile);

/** A sandbox with a user `ann`, her token and the project `acme/shop` with two files. */
export async function openScene(options: SandboxOptions = {}): Promise<Scene> {
  const sandbox = await createSandbox(options);
  const folder = await mkdtemp(join(tmpdir(), "sandbox-scene-"));
  const ann = sandbox.state.createUser({ username: "ann", name: "Ann Example" });
  const token = sandbox.state.createToken({ user: ann }).value;
  const files = { "index.html": "<h1>hello</h1>\n", "lib/a.txt": "a\n" };
  const project = await sandbox.state.createProject({ path: "acme/shop", owner: ann, files });
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_AUTHOR_NAME: "Ann Example",
    GIT_AUTHOR_EMAIL: "ann@example.com",
    GIT_COMMITTER_NAME: "Ann Example",
    GIT_COMMITTER_EMAIL: "ann@example.com",
  };
  return {
    sandbox,
    ann,
    token,
    project,
    call: async (method, path, body, given = token) => {
      const headers = {
        ...(given === null ? {} : { "PRIVATE-TOKEN": given }),
        "Content-Type": "application/json",
      };
      const payload =
        body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
      const response = await fetch(`${sandbox.url}/api/v4${path}`, {
        method,
        headers,
        redirect: "manual",
        ...payload,
      });
      const text = await response.text();
      const isJson = text !== "" && response.headers.get("content-type") === "application/json";
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: isJson ? JSON.parse(text) : null,
      };
    },
    tokenWith: (given) => sandbox.state.createToken({ user: ann, ...given }).value,
    remote: (path = "acme/shop", given = token) =>
      `${sandbox.url.replace("//", `//any:${given}@`)}/${path}.git`,
    git: async (...words) => {
      try {
        const { stdout, stderr } = await run("git", words, { cwd: folder, env });
        return { ok: true, output: stdout + stderr };
      } catch (error) {
        return { ok: false, output: String(Object(error).stderr) };
      }
    },
    async [Symbol.asyncDispose]() {
      await sandbox.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
