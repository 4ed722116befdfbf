import { once } from "node:events";
import { chmod, mkdir, readdir, rm } from "node:fs/promises";
import { connect, type Server } from "node:net";
import { basename, join } from "node:path";
import { createControl } from "./control.ts";
import { addressOf, controlCalls, type EdgeParts } from "./control-calls.ts";
import { createCounters } from "./counters.ts";
import type { EdgeFiles } from "./edge-files.ts";
import { acquireLock, LockHeld } from "./lock.ts";
import { createProxy } from "./proxy.ts";
import { createRouteState } from "./route-state.ts";
import { loadRoutes, saveRoutes, type LoadedRoutes } from "./routes-file.ts";
import { shortSocketPath } from "./short-path.ts";
import { createUpstreams } from "./upstreams.ts";

export interface StartOptions {
  readonly files: EdgeFiles;
  readonly listen: { readonly host: string; readonly port: number };
  readonly trustForwarded: boolean;
  readonly log: (level: "info" | "warn" | "error", message: string, fields?: object) => void;
}

export interface RunningEdge {
  /**
   * Gives up address, socket and lock at once, so that a successor can start; requests under way go on for `graceMs`. A second
   * call may shorten that.
   */
  retire(graceMs: number): Promise<void>;
  /** Resolves when the last request has ended. */
  readonly ended: Promise<void>;
}

/** Throws `LockHeld` when another edge serves this data directory, else what the file system or the network says. */
export async function startEdge(options: StartOptions): Promise<RunningEdge> {
  const { files, listen, log } = options;
  await mkdir(files.folder, { recursive: true, mode: 0o700 });
  await using held = new AsyncDisposableStack();
  const lock = held.use(await acquireLock(files.lock));
  const socket = held.use(await shortSocketPath(files.socket));
  await refuseSecond(socket.path);

  await removeLeftovers(files);
  const loaded = await loadRoutes(files.routes);
  if (loaded.putAside) log("error", "The file of routes is broken: starting without routes", loaded.putAside);
  const parts = createParts(loaded, options);
  await listenOn(parts.proxy.server, listen);
  held.defer(() => parts.proxy.close(0));
  const ended = Promise.withResolvers<void>();
  let givenUp: Promise<void> | undefined;
  const giveUp = async (): Promise<void> => {
    control.close();
    await parts.state.settled();
    await lock[Symbol.asyncDispose]();
  };
  const retire = async (graceMs: number): Promise<void> => {
    void parts.proxy.close(graceMs).then(() => ended.resolve());
    givenUp ??= giveUp();
    await givenUp;
  };
  const control = createControl(controlCalls(parts, retire));
  await listenOn(control.server, { path: socket.path });
  await chmod(socket.path, 0o600);
  log("info", "The edge serves", { ...addressOf(parts.proxy.server), routes: loaded.table.entries.size });
  const kept = held.move();
  return { retire, ended: ended.promise.then(() => kept.disposeAsync()) };
}

function createParts(loaded: LoadedRoutes, { files, listen, trustForwarded }: StartOptions): EdgeParts {
  const upstreams = createUpstreams(loaded.table);
  const counters = createCounters();
  const proxy = createProxy({ upstreams, counters, trustForwarded });
  const state = createRouteState({
    initial: loaded.table,
    save: (table) => saveRoutes(files.routes, table),
    serve: (before, after) => {
      upstreams.serve(before, after);
      for (const host of before.entries.keys()) if (!after.entries.has(host)) counters.forget(host);
    },
  });
  return {
    upstreams,
    counters,
    proxy,
    state,
    listen,
    trustForwarded,
    putAside: loaded.putAside?.path ?? null,
  };
}

/** What an edge that was killed in the middle of a write has left. */
async function removeLeftovers({ folder, routes }: EdgeFiles): Promise<void> {
  const prefix = `${basename(routes)}.`;
  for (const name of await readdir(folder)) {
    if (name.startsWith(prefix) && name.endsWith(".tmp")) await rm(join(folder, name), { force: true });
  }
}

async function listenOn(
  server: Server,
  where: { host: string; port: number } | { path: string },
): Promise<void> {
  server.listen(where);
  await once(server, "listening");
}

/** The lock tells by process numbers, which mean nothing across containers that share a folder: so ask the socket as well. */
async function refuseSecond(path: string): Promise<void> {
  const socket = connect({ path });
  try {
    await once(socket, "connect");
  } catch {
    await rm(path, { force: true });
    return;
  } finally {
    socket.destroy();
  }
  throw new LockHeld(0);
}
