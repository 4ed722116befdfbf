import { mkdir, open, rename, stat } from "node:fs/promises";
import { deadline } from "../kernel/clock.ts";
import { waitUntil } from "../kernel/retry.ts";
import { launch, type ProgramEnd } from "../kernel/run.ts";
import { Fault } from "../faults/fault.ts";
import { connectEdge, type EdgeStatus } from "./client.ts";
import type { EdgeFiles } from "./edge-files.ts";
import { EDGE_EXIT } from "./exit-codes.ts";

export interface LaunchEdgeOptions {
  readonly dataDir: string;
  readonly files: EdgeFiles;
  /** The Node to run and the program that runs `runEdgeProcess` when its first word is `__edge`. */
  readonly nodePath: string;
  readonly entry: string;
  readonly host: string;
  readonly port: number;
  readonly trustForwarded?: boolean;
  readonly signal: AbortSignal;
}

/** From the start of the process to its first answer; measured 120 ms on an idle machine. */
const READY_MS = 20_000;
/** After a load of 64 connections the process keeps 110 MB instead of 220, at the same processor time for a request. */
const NODE_FLAGS = ["--max-semi-space-size=4"];
const MOST_LOG_BYTES = 4 * 1024 * 1024;

/**
 * Starts an edge process that outlives this one, and waits until it serves. Null: another edge holds
 * the data directory. Throws `RUNTIME_UNAVAILABLE` with what else kept it from serving.
 */
export async function launchEdge(options: LaunchEdgeOptions): Promise<EdgeStatus | null> {
  const { files } = options;
  await mkdir(files.folder, { recursive: true, mode: 0o700 });
  await keepLogSmall(files.log);
  await using log = await open(files.log, "a", 0o600);
  const words = [...NODE_FLAGS, options.entry, "__edge", options.dataDir, options.host, String(options.port)];
  if (options.trustForwarded) words.push("trust-forwarded");
  const child = launch(options.nodePath, words, {
    // With compiled code at hand the edge needs 100 ms less of processor time to start.
    env: { NODE_COMPILE_CACHE: files.cache },
    cwd: files.folder,
    output: { stdout: log.fd, stderr: log.fd },
    detached: true,
  });
  let ended: ProgramEnd | null = null;
  void child.ended.then((end) => (ended = end));
  const client = connectEdge({ socketPath: files.socket, patienceMs: 0, signal: options.signal });
  const limit = deadline(READY_MS, options.signal);
  try {
    const outcome = await waitUntil(
      async () => {
        const status = await client.status().catch(() => null);
        return status?.pid === child.pid ? status : ended;
      },
      { everyMs: 10, signal: limit },
    );
    if ("protocol" in outcome) return outcome;
    if (outcome.exitCode === EDGE_EXIT.locked) return null;
    throw faultOf(outcome, options);
  } catch (error) {
    child.kill("SIGKILL");
    if (!limit.aborted) throw error;
    throw tooSlow(options, error);
  }
}

const REASONS: Readonly<Record<number, string>> = {
  [EDGE_EXIT.addressInUse]: "another program listens at this address",
  [EDGE_EXIT.addressDenied]: "this user may not listen at this address",
  [EDGE_EXIT.addressUnavailable]: "this machine has no such address",
};

function faultOf({ exitCode, signal, spawnError }: ProgramEnd, options: LaunchEdgeOptions): Fault {
  const words = spawnError?.message ?? signal;
  const reason = exitCode === null ? undefined : REASONS[exitCode];
  const at = `${options.host}:${options.port}`;
  return Fault.of("RUNTIME_UNAVAILABLE", "", {
    message: `The edge could not start at ${at}: ${reason ?? `see ${options.files.log}`}`,
    evidence: {
      host: at,
      log: options.files.log,
      ...(exitCode === null ? {} : { exitCode }),
      ...(words === null ? {} : { words }),
    },
  });
}

function tooSlow({ files }: LaunchEdgeOptions, cause: unknown): Fault {
  return Fault.of("RUNTIME_UNAVAILABLE", "", {
    message: `The edge did not serve within ${READY_MS / 1000} s: see ${files.log}`,
    evidence: { log: files.log },
    retryable: true,
    cause,
  });
}

/** The edge writes few lines. One old file is kept. */
async function keepLogSmall(path: string): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > MOST_LOG_BYTES) await rename(path, `${path}.old`);
}
