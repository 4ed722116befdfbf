import { deadline, sleep } from "../kernel/clock.ts";
import { backoff } from "../kernel/retry.ts";
import { Fault, toFault } from "../faults/fault.ts";
import type { Logger } from "../telemetry/log.ts";
import { connectEdge, type EdgeClient, type EdgeStatus } from "./client.ts";
import { EDGE_PROTOCOL } from "./control.ts";
import { waitForEnd } from "./control-request.ts";
import { edgeFiles } from "./edge-files.ts";
import { endEdge, evictEdge } from "./end-edge.ts";
import { waitForSilence } from "./heartbeat.ts";
import { launchEdge } from "./launch-edge.ts";

export interface SuperviseOptions {
  readonly dataDir: string;
  /** The Node to run, and the program that hands the words after `__edge` to `runEdgeProcess`. */
  readonly nodePath: string;
  readonly entry: string;
  readonly listenHost: string;
  /** 0: any free port, which is then kept when the edge is started again. */
  readonly listenPort: number;
  /** Whether requests reach the edge only through another proxy of yours, whose `X-Forwarded-…` headers are true. Default no. */
  readonly trustForwarded?: boolean;
  readonly log: Logger;
}

/** Disposing ends the supervision only: the edge goes on serving, for the successor. */
export interface SupervisedEdge extends EdgeClient, AsyncDisposable {
  /** Whether it served already when the supervision began. */
  readonly adopted: boolean;
  /** Ends the edge too: requests under way have `graceMs` (default 2000), then its process is killed. */
  stop(graceMs?: number): Promise<void>;
}

/**
 * Sees to it that one edge serves this data directory: takes over a running one, replaces one that listens elsewhere or is of
 * another protocol, starts one if there is none, and starts it again as soon as it ends. Resolves when it serves; throws
 * `RUNTIME_UNAVAILABLE` when it cannot.
 */
export async function superviseEdge(options: SuperviseOptions): Promise<SupervisedEdge> {
  const { socket } = edgeFiles(options.dataDir);
  const ending = new AbortController();
  const client = connectEdge({ socketPath: socket, signal: ending.signal });
  const { status: first, adopted } = await ensureEdge(options, options.listenPort, ending.signal);
  options.log.info({ pid: first.pid, ...first.address }, "The edge serves");
  const watching = keepServing(options, first.address.port, ending.signal);

  const leave = async (): Promise<void> => {
    ending.abort(new Error("the supervision of the edge has ended"));
    await watching;
  };
  return {
    ...client,
    adopted,
    stop: async (graceMs = 2000) => {
      await leave();
      await endEdge(edgeFiles(options.dataDir), graceMs);
    },
    [Symbol.asyncDispose]: leave,
  };
}

/** Until the signal aborts. Never rejects. */
async function keepServing(options: SuperviseOptions, port: number, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      const since = performance.now();
      await waitWhileServing(options, signal);
      failures = performance.now() - since > STEADY_MS ? 0 : failures + 1;
      // The first time at once: an edge that was killed must be back within a second.
      if (failures > 1) await sleep(backoff(failures - 1, 50, 2000), signal);
      options.log.warn({ port }, "The edge has ended: starting it again");
      const { status } = await ensureEdge(options, port, signal);
      options.log.info({ pid: status.pid, ...status.address }, "The edge serves again");
    } catch (thrown) {
      if (signal.aborted) return;
      failures += 1;
      const fault = toFault(thrown);
      options.log.error({ code: fault.code, ...fault.evidence }, fault.message);
    }
  }
}

const STEADY_MS = 1000;

/** Until the edge has ended, or is ended because it does nothing any more. */
async function waitWhileServing(options: SuperviseOptions, signal: AbortSignal): Promise<void> {
  const files = edgeFiles(options.dataDir);
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const silence = waitForSilence(files.socket, either).then(
    () => "silent",
    () => "over",
  );
  const end = waitForEnd(files.socket, either).then(() => "ended");
  try {
    const first = await Promise.race([end, silence]);
    signal.throwIfAborted(); // nobody ended: the supervision did
    if (first !== "silent") return;
    options.log.error({}, "The edge does not answer any more: ending it");
    await evictEdge(files);
  } finally {
    over.abort(new Error("the edge has ended"));
    await Promise.allSettled([end, silence]);
  }
}

/** For an edge that is just being started by another supervisor, or gives up its place. */
const SETTLE_MS = 30_000;

async function ensureEdge(
  options: SuperviseOptions,
  port: number,
  signal: AbortSignal,
): Promise<{ readonly status: EdgeStatus; readonly adopted: boolean }> {
  const files = edgeFiles(options.dataDir);
  const client = connectEdge({ socketPath: files.socket, patienceMs: 0, signal });
  const limit = deadline(SETTLE_MS, signal);
  while (!limit.aborted) {
    const running = await client.status().catch(() => null);
    if (running && fits(running, options)) return { status: running, adopted: true };
    if (running) {
      options.log.warn({ pid: running.pid, ...running.address }, "Replacing an edge that no longer fits");
      await evictEdge(files);
    }
    const started = await launchEdge({ ...options, files, host: options.listenHost, port, signal });
    if (started) return { status: started, adopted: false };
    await sleep(50, limit);
  }
  throw Fault.of("RUNTIME_UNAVAILABLE", "", {
    message: `The edge of ${options.dataDir} neither answers nor ends`,
    evidence: { log: files.log },
  });
}

function fits(running: EdgeStatus, options: SuperviseOptions): boolean {
  const samePort = options.listenPort === 0 || running.address.port === options.listenPort;
  return (
    running.protocol === EDGE_PROTOCOL &&
    running.listen.host === options.listenHost &&
    samePort &&
    running.trustForwarded === (options.trustForwarded ?? false)
  );
}
