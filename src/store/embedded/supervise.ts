import { mkdir, realpath, rm } from "node:fs/promises";
import { Fault, toFault } from "../../faults/fault.ts";
import { sleep } from "../../kernel/clock.ts";
import { backoff } from "../../kernel/retry.ts";
import { silentLogger, type Logger } from "../../telemetry/log.ts";
import { ensureLibraryPath, findBinaries, MAJOR, type Binaries } from "./binaries.ts";
import { chooseIdentity } from "./choose-identity.ts";
import { ensureCluster, type ServerProgram } from "./cluster.ts";
import { ensurePrivateFolder, ensureSocketFolder, layoutOf, shortHash, type Layout } from "./folders.ts";
import { claimInstance } from "./instance-lock.ts";
import { recoverCluster } from "./recover.ts";
import { startServer, type RunningServer } from "./server.ts";
import { connectionString, DATABASE, type ServerPaths } from "./settings.ts";

export interface EmbeddedOptions {
  /** Fairlead's data folder; the cluster is `<dataFolder>/pg18`. Made when missing. */
  readonly dataFolder: string;
  readonly log?: Logger;
  readonly signal?: AbortSignal;
  /** More PostgreSQL settings, by name. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A PostgreSQL that runs until it is disposed: when it dies it is started again. */
export interface EmbeddedServer extends AsyncDisposable {
  readonly connectionString: string;
  /** The server's process id; null while it is being started again. */
  readonly pid: () => number | null;
}

/**
 * Starts PostgreSQL below the data folder, after whatever the last run left: an orphan is stopped, stale locks go, a crash is recovered. Throws
 * `DATABASE_UNAVAILABLE`: `in_use` while another Fairlead runs there, `wrong_version` for another major version, else with what to do.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const log = options.log ?? silentLogger;
  const binaries = await findBinaries();
  await using undo = new AsyncDisposableStack();
  try {
    await mkdir(options.dataFolder, { recursive: true, mode: 0o700 });
    const layout = layoutOf(await realpath(options.dataFolder), MAJOR);
    undo.use(await claimInstance(layout.lock));
    const sockets = await ensureSocketFolder(layout);
    undo.defer(() => rm(sockets, { recursive: true, force: true }));
    const paths = { data: layout.cluster, sockets, cluster: `fairlead-${shortHash(layout.cluster)}` };
    await recoverCluster(paths, log, options.signal);
    const program = await prepare(binaries, layout, paths, options.signal);
    const start = async (signal: AbortSignal | undefined): Promise<RunningServer> =>
      startServer(program, paths, { log, logFile: layout.log, settings: options.settings ?? {}, signal });
    const keeper = undo.use(keepRunning(await start(options.signal), { start, paths, log }));
    const release = undo.move();
    return {
      connectionString: connectionString(sockets, DATABASE),
      pid: keeper.pid,
      [Symbol.asyncDispose]: () => release.disposeAsync(),
    };
  } catch (error) {
    options.signal?.throwIfAborted();
    throw classify(error, options.dataFolder);
  }
}

async function prepare(
  binaries: Binaries,
  layout: Layout,
  paths: ServerPaths,
  signal: AbortSignal | undefined,
): Promise<ServerProgram> {
  const env = {
    PATH: "/usr/bin:/bin:/usr/sbin:/sbin",
    LC_ALL: "C",
    TZ: "UTC",
    LD_LIBRARY_PATH: await ensureLibraryPath(binaries, layout.libraries),
  };
  const identity = await chooseIdentity(binaries, layout, env);
  const program = { binaries, identity, env };
  await ensureCluster(program, layout, signal);
  await ensurePrivateFolder(paths.sockets, identity.owner);
  return program;
}

interface Keeping {
  readonly start: (signal: AbortSignal) => Promise<RunningServer>;
  readonly paths: ServerPaths;
  readonly log: Logger;
}

/** Starts the server again whenever it ends by itself, with growing pauses while it keeps failing. */
function keepRunning(first: RunningServer, keeping: Keeping): AsyncDisposable & { pid: () => number | null } {
  const stopping = new AbortController();
  let current: RunningServer | null = first;
  const restart = async (): Promise<RunningServer | null> => {
    for (let attempt = 1; !stopping.signal.aborted; attempt++) {
      try {
        await recoverCluster(keeping.paths, keeping.log, stopping.signal);
        return await keeping.start(stopping.signal);
      } catch (error) {
        if (stopping.signal.aborted) break;
        keeping.log.error({ err: toFault(error), attempt }, "PostgreSQL did not start again");
        await sleep(backoff(attempt, 200, 30_000), stopping.signal).catch(() => {});
      }
    }
    return null;
  };
  const loop = (async () => {
    while (current !== null) {
      const end = await current.ended;
      current = null;
      if (stopping.signal.aborted) return;
      keeping.log.error({ ...end }, "PostgreSQL ended; starting it again");
      current = await restart();
      if (stopping.signal.aborted) await current?.stop();
      else if (current !== null) keeping.log.info({ pid: current.pid }, "PostgreSQL runs again");
    }
  })();
  return {
    pid: () => current?.pid ?? null,
    [Symbol.asyncDispose]: async () => {
      stopping.abort(new Error("stopping"));
      await current?.stop();
      await loop;
    },
  };
}

function classify(error: unknown, folder: string): Fault {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (error instanceof Fault || !["EACCES", "EPERM", "EROFS", "ENOSPC", "ENOTDIR"].includes(code)) {
    return toFault(error);
  }
  return Fault.of("DATABASE_UNAVAILABLE", "", {
    message: `the data folder ${folder} cannot be used (${code}). It must belong to the user that Fairlead runs as and have room.`,
    evidence: { folder, errno: code },
    cause: error,
  });
}
