import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeFileAtomic } from "../../kernel/atomic-file.ts";
import { launch } from "../../kernel/run.ts";
import type { StartRequest } from "../runtime.ts";
import { shareCompileCache } from "./compile-cache.ts";
import { JOIN_SCRIPT, makeGroups, type ControlGroups } from "./control-groups.ts";
import { safeName, type Fences } from "./fences.ts";
import type { LaunchOrder } from "./launcher-files.ts";
import type { PortRange } from "./ports.ts";
import type { Identity } from "./replica-files.ts";
import { handOverFolders, userOf } from "./sandbox-folders.ts";
import type { SandboxGround, SandboxRequest } from "./sandbox-request.ts";
import { prepareSandbox } from "./sandbox.ts";
import type { Way } from "./ways.ts";

export interface ReplicaContext {
  readonly ground: SandboxGround;
  readonly way: Way;
  readonly groups: ControlGroups | null;
  readonly fences: Fences;
  readonly fenceFolder: string;
  readonly portFolder: string;
  readonly portRange: PortRange;
  readonly nodePath: string;
  /** Fairlead's own program: `node <entry> __launcher <folder>`. */
  readonly entry: string;
  readonly logBytes: number;
}

/** Hands the release over, writes down what the replica is, and makes the launcher's order. */
export async function prepareLaunch(
  context: ReplicaContext,
  folder: string,
  request: StartRequest,
  port: number,
): Promise<LaunchOrder> {
  const sandbox = sandboxOf(context, folder, request, port);
  await handOverFolders(context.ground, context.way, sandbox);
  const { uid } = userOf(context.ground, context.way, sandbox);
  if (request.command.kind === "static")
    await shareCompileCache(compileCache(context.ground), context.ground.self.uid, uid);
  const { wrapped, input, containment } = await prepareSandbox(context.ground, context.way, sandbox);
  const groups =
    context.groups === null
      ? []
      : await makeGroups(context.groups, safeName(request.replicaId), request.limits);
  const identity: Identity = {
    replicaId: request.replicaId,
    environmentId: request.environmentId,
    releaseId: request.releaseId,
    deploymentId: request.fence.deploymentId,
    attempt: request.fence.attempt,
    port,
    containment,
    groups,
    createdAt: Date.now(),
  };
  await writeFileAtomic(join(folder, "replica.json"), JSON.stringify(identity));
  const words = [wrapped.file, ...wrapped.args];
  const [file = "/bin/sh", ...args] =
    groups.length === 0 ? words : ["/bin/sh", "-c", JOIN_SCRIPT, "fairlead-join", ...groups, "--", ...words];
  return {
    file,
    args,
    input,
    containment,
    fence: request.fence,
    fences: context.fenceFolder,
    logBytes: context.logBytes,
  };
}

function sandboxOf(
  context: ReplicaContext,
  folder: string,
  request: StartRequest,
  port: number,
): SandboxRequest {
  const { command } = request;
  const served = command.kind === "static";
  return {
    id: request.replicaId,
    environmentId: request.environmentId,
    launchFolder: folder,
    folder: { path: request.directory, writable: false },
    directory: request.directory,
    cache: null,
    readOnly: served ? [...ownProgram(context.entry), compileCache(context.ground)] : [],
    argv: served ? serveWords(context, command.root, command.fallback, port) : command.argv,
    env: {
      ...(served ? { NODE_COMPILE_CACHE: compileCache(context.ground) } : nodeMemory(request)),
      ...request.env,
      PORT: String(port),
    },
    // a user's count holds the threads too, and those of the environment's other replica during a switch
    tasks: Math.max(256, request.limits.processes * 4),
  };
}

function serveWords(
  context: ReplicaContext,
  root: string,
  fallback: string | null,
  port: number,
): readonly [string, ...string[]] {
  const words = [context.entry, "__static", String(port), root, ...(fallback === null ? [] : [fallback])];
  return [context.nodePath, "--max-semi-space-size=1", "--max-old-space-size=64", ...words];
}

/** What `node <entry> __static` reads. `package.json` tells Node that our files are modules: without it each is compiled twice. */
function ownProgram(entry: string): readonly string[] {
  const source = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");
  const beside = ["package.json", "node_modules"].map((name) => join(dirname(source), name));
  return [...new Set([dirname(entry), source, ...beside])].filter((path) => existsSync(path));
}

/** Node then collects before the limit kills it; the only limit where no control group can be made. */
function nodeMemory(request: StartRequest): Record<string, string> {
  if (request.env["NODE_OPTIONS"] !== undefined) return {};
  return { NODE_OPTIONS: `--max-old-space-size=${Math.max(32, Math.floor(request.limits.memoryMb * 0.75))}` };
}

/** Where Node keeps what it compiled of ours: without it each launcher would hold the type stripper, 15 MB. */
function compileCache(ground: SandboxGround): string {
  return join(ground.folder, "compile-cache");
}

export interface StartedLauncher extends AsyncDisposable {
  /** Lets it begin. Without that it ends when this is disposed. */
  give(order: LaunchOrder): void;
}

/**
 * Starts the launcher in a session of its own, which outlives this process once it has its order. Node needs 40 ms and more to start: it does
 * so while the order is prepared.
 */
export async function startLauncher(context: ReplicaContext, folder: string): Promise<StartedLauncher> {
  const words = ["--max-semi-space-size=1", "--max-old-space-size=32", context.entry, "__launcher", folder];
  await using log = await open(join(folder, "launcher.log"), "a", 0o600);
  const program = launch(context.nodePath, words, {
    env: { PATH: "/usr/bin:/bin", NODE_COMPILE_CACHE: compileCache(context.ground) },
    cwd: "/",
    keepStdin: true,
    output: { stdout: log.fd, stderr: log.fd },
    detached: true,
  });
  program.stdin?.on("error", () => {}); // it ended before it read: that it has no process says so
  let given = false;
  return {
    give(order) {
      given = true;
      program.stdin?.end(JSON.stringify(order));
    },
    async [Symbol.asyncDispose]() {
      if (given) return;
      program.kill("SIGKILL");
      await program.ended;
    },
  };
}
