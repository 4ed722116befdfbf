import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toError } from "../../kernel/clock.ts";
import { randomToken } from "../../kernel/ids.ts";
import { launch } from "../../kernel/run.ts";
import type { Isolation } from "../runtime.ts";
import { killSandbox } from "./containment.ts";
import { findProcess, isAlive } from "./processes.ts";
import { handOverFolders } from "./sandbox-folders.ts";
import type { SandboxGround, SandboxRequest } from "./sandbox-request.ts";
import { prepareSandbox } from "./sandbox.ts";
import type { Way } from "./ways.ts";

/** The way that is used, and what is said about it. */
export interface Found {
  readonly way: Way;
  readonly isolation: Isolation;
}

/**
 * Tries the ways in order, each by really running a program in it that looks for what it must not see and uses what it needs; the
 * first that keeps its promise is taken. `none` is not tried: it promises nothing.
 */
export async function findWay(ground: SandboxGround, nodePath: string, ways: readonly Way[]): Promise<Found> {
  const failed: string[] = [];
  for (const way of ways) {
    const problem = way.method === "none" ? null : await tryWay(ground, nodePath, way);
    if (problem === null) return { way, isolation: explain(way, failed) };
    failed.push(`${way.method} (${problem})`);
  }
  throw new Error("the last way must be none");
}

/** `$1` Fairlead's file, `$2` a process of Fairlead's, `$3` Node. What it says is judged outside. */
const PROBE_SCRIPT = `echo x > written && echo FOLDER-WRITTEN
"$3" -e 0 && echo NODE-RUNS
cat "$1" /proc/[0-9]*/environ
kill -KILL "$2"
`;

/** What is wrong with this way on this machine; null when it works. */
async function tryWay(ground: SandboxGround, nodePath: string, way: Way): Promise<string | null> {
  const folder = join(ground.folder, `probe-${way.method}`);
  const secret = join(ground.dataDir, `probe-${randomToken(6)}`);
  const words = { file: randomToken(), environment: randomToken() };
  const canary = launch("/bin/sh", ["-c", "sleep 60"], {
    env: { CANARY: words.environment },
    output: "ignore",
  });
  const before = canary.pid === undefined ? null : findProcess(canary.pid);
  try {
    await mkdir(join(folder, "app"), { recursive: true });
    await writeFile(secret, words.file, { mode: 0o600 });
    const said = await runProbe(ground, way, folder, [secret, String(canary.pid), nodePath]);
    if (typeof said !== "string") return said.problem;
    if (said.includes(words.file)) return "a program in it could read Fairlead's files";
    if (said.includes(words.environment)) return "a program in it could read Fairlead's environment";
    if (before === null || !isAlive(before)) return "a program in it could kill Fairlead's processes";
    if (!said.includes("FOLDER-WRITTEN")) return firstLine(said, "its folder could not be written");
    return said.includes("NODE-RUNS") ? null : firstLine(said, "Node did not run in it");
  } catch (error) {
    return toError(error).message;
  } finally {
    canary.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
    await rm(secret, { force: true });
  }
}

async function runProbe(
  ground: SandboxGround,
  way: Way,
  folder: string,
  words: readonly string[],
): Promise<string | { readonly problem: string }> {
  const request: SandboxRequest = {
    id: `probe-${way.method}`,
    environmentId: "probe",
    launchFolder: folder,
    folder: { path: join(folder, "app"), writable: true },
    directory: join(folder, "app"),
    cache: null,
    readOnly: [],
    argv: ["/bin/sh", "-c", PROBE_SCRIPT, "probe", ...words],
    env: {},
    tasks: 256,
  };
  await handOverFolders(ground, way, request);
  const { wrapped, input, containment } = await prepareSandbox(ground, way, request);
  let said = "";
  const program = launch(wrapped.file, wrapped.args, { env: {}, keepStdin: true });
  for (const stream of [program.stdout, program.stderr]) {
    stream?.on("data", (chunk: Buffer) => (said += chunk.toString("latin1")));
  }
  const wrapper = program.pid === undefined ? null : findProcess(program.pid);
  program.stdin?.on("error", () => {}); // it ended before it read: its exit says why
  program.stdin?.write(input);
  const timer = setTimeout(() => {
    if (wrapper !== null) void killSandbox({ wrapper, first: null }, containment).catch(() => {});
  }, 10_000);
  const end = await program.ended;
  clearTimeout(timer);
  program.stdin?.destroy();
  if (end.spawnError !== null) return { problem: end.spawnError.message };
  return said;
}

function firstLine(said: string, otherwise: string): string {
  const line = said
    .split("\n")
    .map((text) => text.trim())
    .find((text) => text !== "" && !/^(FOLDER-WRITTEN|NODE-RUNS)$/.test(text));
  return line === undefined ? otherwise : `${otherwise}: ${line.slice(0, 200)}`;
}

const PROMISES: Readonly<Record<Way["method"], string>> = {
  bwrap: "Builds and replicas run in bubblewrap: a file tree and a process list of their own",
  unshare: "Builds and replicas run in Linux namespaces: a file tree and a process list of their own",
  uid: "Builds and replicas run as other users of the machine, which cannot read Fairlead's files; they see the machine's other files",
  none: "Builds and replicas run as the same user as Fairlead and could read its data",
};

function explain(way: Way, failed: readonly string[]): Isolation {
  const tried = failed.length === 0 ? "" : ` What did not work here: ${failed.join("; ")}.`;
  const advice =
    way.method === "none" || way.method === "uid"
      ? " Install bubblewrap (apt-get install bubblewrap), or allow user namespaces, or run Fairlead as root outside a container."
      : "";
  return {
    method: way.method,
    isolated: way.method !== "none",
    explanation: `${PROMISES[way.method]}.${tried}${advice}`,
  };
}
