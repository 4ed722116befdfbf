import { flushCompileCache } from "node:module";
import { toError } from "../kernel/clock.ts";
import { edgeFiles } from "./edge-files.ts";
import { EDGE_EXIT } from "./exit-codes.ts";
import { LockHeld } from "./lock.ts";
import { startEdge } from "./start.ts";
import { InvalidInput, parseInteger } from "./wire.ts";

/** How long requests under way may go on when the edge is told to end without being told how fast. */
const GRACE_MS = 30_000;

/**
 * The edge process: `<entry> __edge <data directory> <listen host> <listen port> [trust-forwarded]`. Serves its persisted routes, with or without
 * a control plane, until it is told to end. Resolves with the exit code, after which the caller ends the process.
 */
export async function runEdgeProcess(words: readonly string[]): Promise<number> {
  process.umask(0o077);
  process.stderr.on("error", () => {}); // a full disk costs lines of the log, not everybody's apps
  try {
    const [dataDir, host, port, trust] = words;
    if (!dataDir || !host || port === undefined) throw new InvalidInput("wanted: data directory, host, port");
    const listen = { host, port: parseInteger({ port: Number(port) }, "port", 0, 65_535) };
    const edge = await startEdge({
      files: edgeFiles(dataDir),
      listen,
      trustForwarded: trust === "trust-forwarded",
      log: writeLog,
    });
    // Node writes it at a normal end only; the start after a kill is the one that matters.
    flushCompileCache();
    const end = (): void => void edge.retire(GRACE_MS);
    process.on("SIGTERM", end);
    process.on("SIGINT", end);
    await edge.ended;
    writeLog("info", "The edge has ended");
    return EDGE_EXIT.stopped;
  } catch (thrown) {
    writeLog("error", "The edge could not start", { cause: toError(thrown).message });
    return exitCodeOf(thrown);
  }
}

function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof LockHeld) return EDGE_EXIT.locked;
  if (thrown instanceof InvalidInput) return EDGE_EXIT.wrongWords;
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  if (code === "EADDRINUSE") return EDGE_EXIT.addressInUse;
  if (code === "EACCES") return EDGE_EXIT.addressDenied;
  if (code === "EADDRNOTAVAIL") return EDGE_EXIT.addressUnavailable;
  return EDGE_EXIT.failed;
}

/** Lines like those of the control plane, by hand: the logger would cost more memory than the proxy. Nothing secret comes here. */
function writeLog(level: "info" | "warn" | "error", message: string, fields: object = {}): void {
  process.stderr.write(
    `${JSON.stringify({ level, time: new Date().toISOString(), msg: message, ...fields })}\n`,
  );
}
