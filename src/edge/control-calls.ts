import type { Server } from "node:net";
import { EDGE_PROTOCOL, type ControlCalls, type EdgeStatus } from "./control.ts";
import type { Counters } from "./counters.ts";
import { waitForDrain } from "./drain.ts";
import type { Proxy } from "./proxy.ts";
import type { RouteState } from "./route-state.ts";
import type { Upstreams } from "./upstreams.ts";
import {
  InvalidInput,
  parseFields,
  parseInteger,
  parseList,
  parseRoute,
  parseTarget,
  parseText,
} from "./wire.ts";

export interface EdgeParts {
  readonly proxy: Proxy;
  readonly state: RouteState;
  readonly upstreams: Upstreams;
  readonly counters: Counters;
  /** As it was asked for; the port may be 0. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly trustForwarded: boolean;
  readonly putAside: string | null;
}

const DAY_MS = 86_400_000;

/** What the control plane may ask of the edge process. */
export function controlCalls(parts: EdgeParts, retire: (graceMs: number) => Promise<void>): ControlCalls {
  const { proxy, state, upstreams, counters } = parts;
  const generationIn = (fields: Readonly<Record<string, unknown>>): number =>
    parseInteger(fields, "generation", 0, Number.MAX_SAFE_INTEGER);
  return {
    "GET /status": (): EdgeStatus => ({
      protocol: EDGE_PROTOCOL,
      pid: process.pid,
      listen: parts.listen,
      trustForwarded: parts.trustForwarded,
      address: addressOf(proxy.server),
      putAside: parts.putAside,
    }),
    "GET /routes": () => ({ routes: state.routes() }),
    "GET /metrics-json": () => counters.all(),
    "POST /switch": (body) => state.switchRoute(parseRoute(body)),
    "POST /remove": (body) => {
      const fields = parseFields(body);
      return state.removeRoute(parseText(fields, "host"), generationIn(fields));
    },
    "POST /replace": (body) => {
      const fields = parseFields(body);
      return state.replaceRoutes(parseList(fields, "routes").map(parseRoute), generationIn(fields));
    },
    "POST /drain": async (body, signal) => {
      const target = parseTarget(body);
      const timeoutMs = parseInteger(parseFields(body), "timeoutMs", 0, DAY_MS);
      return { drained: await waitForDrain(() => upstreams.get(target), timeoutMs, signal) };
    },
    "POST /retire": (body) => retire(parseInteger(parseFields(body), "graceMs", 0, DAY_MS)),
  };
}

export function addressOf(server: Server): { readonly host: string; readonly port: number } {
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new InvalidInput("the edge does not listen any more");
  return { host: address.address, port: address.port };
}
