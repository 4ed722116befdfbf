import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { api, type AppAnswer } from "../src/http/contract.ts";
import { waitUntil } from "../src/kernel/retry.ts";
import { createSandbox, type Sandbox } from "../src/sandbox/sandbox.ts";
import type { Project, Token, User } from "../src/sandbox/state.ts";
import { startFairlead, type Fairlead } from "../test/support/fairlead.ts";

/** A GitLab in this process and a Fairlead in processes of its own, connected. `undo` ends and removes all of it. */
export interface World {
  readonly folder: string;
  readonly sandbox: Sandbox;
  readonly fairlead: Fairlead;
  readonly user: User;
  readonly token: Token & { readonly value: string };
  link(project: Project): Promise<AppAnswer>;
}

export async function openWorld(
  undo: AsyncDisposableStack,
  env: Record<string, string> = {},
): Promise<World> {
  const folder = await openFolder(undo);
  const sandbox = undo.use(
    await createSandbox({ dataDir: join(folder, "gitlab"), searchPath: process.env["PATH"] ?? "" }),
  );
  const user = sandbox.state.createUser({ username: "ada", name: "Ada" });
  const token = sandbox.state.createToken({ user, name: "fairlead", scopes: ["api"] });
  const fairlead = undo.use(await startFairlead({ env: { FAIRLEAD_LOG_LEVEL: "warn", ...env } }));
  await fairlead.client.call(api.connect, { body: { url: sandbox.url, token: token.value, name: "gitlab" } });
  return {
    folder,
    sandbox,
    fairlead,
    user,
    token,
    link: (project) =>
      fairlead.client.call(api.link, {
        body: { connection: "gitlab", project: project.fullPath, branch: "main" },
      }),
  };
}

/** A temporary folder, removed at the end. */
export async function openFolder(undo: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-bench-"));
  undo.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** Waits until what a project's pushes set off is done: deployments have ended and nothing works in the background. */
export async function settle(fairlead: Fairlead, app: string): Promise<void> {
  await waitUntil(
    async () => {
      const { deployments } = await fairlead.client.call(api.listDeployments, { params: { app } });
      return deployments.every((one) => one.finishedAt !== null) && !(await isAtWork(fairlead.dataDir));
    },
    { everyMs: 100, signal: AbortSignal.timeout(180_000) },
  );
}

/** After a deployment the mirror is filled and the workspace kept. git is told of its folders by its environment. */
async function isAtWork(dataDir: string): Promise<boolean> {
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const name = await readFile(join("/proc", pid, "comm"), "utf8").catch(() => "");
    if (!/^(git|cp$|rm$)/.test(name)) continue;
    const parts = ["environ", "cmdline"].map((part) =>
      readFile(join("/proc", pid, part), "utf8").catch(() => ""),
    );
    if ((await Promise.all(parts)).some((text) => text.includes(dataDir))) return true;
  }
  return false;
}
