import { Fault } from "../faults/fault.ts";
import type { Apps } from "./apps.ts";
import type { AppsDeps } from "./deps.ts";
import { listEvents } from "./events.ts";
import { createGate } from "./gate.ts";
import { getHookByHand } from "./hook-by-hand.ts";
import { link } from "./link.ts";
import { recover } from "./recover.ts";
import { listRepairs, repair } from "./repair.ts";
import { lookAtHook } from "./look-at-hook.ts";
import { unlink } from "./unlink.ts";
import { disconnect } from "./disconnect.ts";
import { findAppView, listAppViews } from "./view.ts";
import { watchHooks } from "./watch-hooks.ts";

/**
 * Each link or unlink holds a database connection while it talks to GitLab: at most this many do at once, so that none of them can
 * starve the rest of the program.
 */
const AT_ONCE = 2;

export interface RunningApps extends Apps {
  /** At start: finishes what a crash or an unreachable GitLab left half-done. */
  recover(signal?: AbortSignal): Promise<void>;
  /** Keeps the webhooks in GitLab as they were made until the signal aborts. */
  watchHooks(stopping: AbortSignal): Promise<void>;
}

export function createApps(deps: AppsDeps): RunningApps {
  const gate = createGate(AT_ONCE);
  const { db } = deps.store;

  const get: Apps["get"] = async (nameOrId) => {
    const view = await findAppView(db, nameOrId, deps.publicAppUrl);
    if (!view) throw Fault.of("NOT_FOUND", "", { message: `There is no app ${nameOrId}` });
    return view;
  };

  return {
    get,
    list: () => listAppViews(db, deps.publicAppUrl),
    async link(request, signal) {
      const id = await gate(() => link(deps, request, signal));
      return get(id);
    },
    unlink: (name, signal) => gate(() => unlink(deps, name, signal)),
    disconnect: (connection, signal) => gate(() => disconnect(deps, connection, signal)),
    listRepairs: (connection, signal) => listRepairs(deps, connection, signal),
    repair: (connection, signal) => gate(() => repair(deps, connection, signal)),
    async getHookByHand(app) {
      const { id } = await get(app);
      return getHookByHand(deps, id);
    },
    watchHooks: (stopping) =>
      watchHooks(deps, (project, signal) => gate(() => lookAtHook(deps, project, signal)), stopping),
    recover: (signal) => gate(() => recover(deps, signal)),
    async listEvents(app, limit) {
      const { id } = await get(app);
      return listEvents(db, id, limit);
    },
  };
}
