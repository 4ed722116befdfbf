import { Agent } from "node:http";
import type { Target } from "./edge.ts";
import { NO_ROUTES, type RouteTable } from "./routes.ts";

/** One target with the connections to it. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
  /** Kept connections, for requests that may be repeated when a kept one turns out to be closed. */
  readonly agent: Agent;
  /** Requests and upgraded connections under way. */
  underway: number;
  /** How many routes lead here. */
  routed: number;
  /** When the last route led away from here, in milliseconds of `performance.now()`. */
  retiredAt: number;
}

export interface Upstreams {
  /** Where a host's requests go; undefined when there is no such route. */
  find(host: string): readonly Upstream[] | undefined;
  serve(before: RouteTable, after: RouteTable): void;
  /** Undefined when no route has led there lately. */
  get(target: Target): Upstream | undefined;
  close(): void;
}

/** A target nobody asks about any more is forgotten after this time. */
const FORGET_AFTER_MS = 60_000;

export function createUpstreams(initial: RouteTable): Upstreams {
  const byTarget = new Map<string, Upstream>();
  const byHost = new Map<string, readonly Upstream[]>();

  const ensure = (target: Target): Upstream => {
    const key = keyOf(target);
    const known = byTarget.get(key);
    if (known) return known;
    const upstream = createUpstream(target);
    byTarget.set(key, upstream);
    return upstream;
  };
  const retire = (key: string, upstream: Upstream): void => {
    closeIdle(upstream);
    forgetLater(key, upstream);
  };
  const forgetLater = (key: string, upstream: Upstream): void => {
    setTimeout(() => {
      if (upstream.routed > 0 || byTarget.get(key) !== upstream) return;
      if (upstream.underway > 0) forgetLater(key, upstream);
      else byTarget.delete(key);
    }, FORGET_AFTER_MS).unref();
  };
  const serve = (before: RouteTable, after: RouteTable): void => {
    const left: Upstream[] = [];
    for (const [host, entry] of before.entries) {
      if (after.entries.get(host) === entry) continue;
      left.push(...(byHost.get(host) ?? []));
      byHost.delete(host);
    }
    for (const [host, entry] of after.entries) {
      if (before.entries.get(host) === entry) continue;
      const upstreams = entry.route.targets.map(ensure);
      for (const upstream of upstreams) revive(upstream);
      byHost.set(host, upstreams);
    }
    for (const upstream of left) {
      upstream.routed -= 1;
      if (upstream.routed === 0) retire(keyOf(upstream), upstream);
    }
  };
  serve(NO_ROUTES, initial);

  return {
    find: (host) => byHost.get(host),
    serve,
    get: (target) => byTarget.get(keyOf(target)),
    close: () => {
      for (const upstream of byTarget.values()) upstream.agent.destroy();
    },
  };
}

/** As many idle connections as Node keeps by default. */
const KEPT_IDLE = 256;

function createUpstream(target: Target): Upstream {
  const agent = new Agent({ keepAlive: true, scheduling: "lifo", maxFreeSockets: KEPT_IDLE });
  return { host: target.host, port: target.port, agent, underway: 0, routed: 0, retiredAt: 0 };
}

/** Those under way are closed when their request ends. */
function closeIdle(upstream: Upstream): void {
  upstream.retiredAt = performance.now();
  upstream.agent.maxFreeSockets = 0;
  for (const sockets of Object.values(upstream.agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}

/** A target may be routed to again, by a rollback to a replica that still runs. */
function revive(upstream: Upstream): void {
  upstream.routed += 1;
  upstream.retiredAt = 0;
  upstream.agent.maxFreeSockets = KEPT_IDLE;
}

function keyOf(target: Target): string {
  return `${target.host} ${target.port}`;
}
