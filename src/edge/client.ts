import { z } from "zod";
import { backoff } from "../kernel/retry.ts";
import { deadline, sleep, toError } from "../kernel/clock.ts";
import { Fault } from "../faults/fault.ts";
import { callControl, ControlRefused } from "./control-request.ts";
import type { Edge, Route, Target } from "./edge.ts";

const target = z.object({ host: z.string(), port: z.number() });
const route = z.object({
  host: z.string(),
  environmentId: z.string(),
  releaseId: z.string(),
  targets: z.array(target),
  generation: z.number(),
});
const switched = z.object({ applied: z.boolean(), previous: route.nullable() });
const drained = z.object({ drained: z.boolean() });
const listed = z.object({ routes: z.array(route) });
const counts = z.record(z.string(), z.record(z.string(), z.number()));
const status = z.looseObject({
  protocol: z.number(),
  pid: z.number(),
  listen: target,
  trustForwarded: z.boolean(),
  address: target,
  putAside: z.string().nullable().default(null),
});

export type EdgeStatus = z.infer<typeof status>;

export interface EdgeClient extends Edge {
  status(): Promise<EdgeStatus>;
  /** Answers by host and first digit of their status since the edge started; under the empty name those without a route. */
  counts(): Promise<Readonly<Record<string, Readonly<Record<string, number>>>>>;
  /** Tells the edge to give up its address at once and to end when requests under way have, at the latest after `graceMs`. */
  retire(graceMs: number): Promise<void>;
}

export interface ConnectOptions {
  readonly socketPath: string;
  /** How long a call waits for an edge that is being started again. Default 5 s. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

/** An answer takes milliseconds; a disk may be slow. */
const ANSWER_MS = 30_000;

/** The edge as the control plane sees it. Every call may be repeated, so a call that breaks off is. */
export function connectEdge(options: ConnectOptions): EdgeClient {
  const call = (
    name: `${"GET" | "POST"} /${string}`,
    body: unknown,
    answerMs = ANSWER_MS,
  ): Promise<unknown> => callPatiently(options, name, body, answerMs);
  return {
    switchRoute: async (wanted: Route) => switched.parse(await call("POST /switch", wanted)),
    removeRoute: async (host, generation) => {
      await call("POST /remove", { host, generation });
    },
    replaceRoutes: async (routes, generation) => {
      await call("POST /replace", { routes, generation });
    },
    drain: async (wanted: Target, timeoutMs) =>
      drained.parse(await call("POST /drain", { ...wanted, timeoutMs }, timeoutMs + ANSWER_MS)),
    routes: async () => listed.parse(await call("GET /routes", null)).routes,
    address: async () => status.parse(await call("GET /status", null)).address,
    status: async () => status.parse(await call("GET /status", null)),
    counts: async () => counts.parse(await call("GET /metrics-json", null)),
    retire: async (graceMs) => {
      await call("POST /retire", { graceMs });
    },
  };
}

async function callPatiently(
  options: ConnectOptions,
  name: `${"GET" | "POST"} /${string}`,
  body: unknown,
  answerMs: number,
): Promise<unknown> {
  let lastSeen = Date.now();
  for (let attempt = 1; ; attempt++) {
    const limit = deadline(answerMs, options.signal);
    try {
      return await callControl(options.socketPath, name, body, limit);
    } catch (thrown) {
      const error = toError(thrown);
      if (error instanceof ControlRefused) throw refused(error);
      if (!isAbsence(error)) lastSeen = Date.now();
      const wait = backoff(attempt, 20, 200);
      const patient = Date.now() + wait < lastSeen + (options.patienceMs ?? 5000);
      if (limit.aborted || !patient || attempt === MOST_ATTEMPTS) throw unavailable(error);
      await sleep(wait, options.signal);
    }
  }
}

/** Against an edge that takes calls and breaks each of them off. */
const MOST_ATTEMPTS = 100;

function isAbsence(error: Error): boolean {
  return "syscall" in error && error.syscall === "connect";
}

function refused(error: ControlRefused): Fault {
  const evidence = { status: error.status, words: error.message };
  if (error.status === 400) return Fault.of("BAD_REQUEST", "invalid", { evidence, cause: error });
  return Fault.of("RUNTIME_UNAVAILABLE", "", {
    evidence,
    cause: error,
    retryable: true,
    message: "The edge could not make the change",
  });
}

function unavailable(error: Error): Fault {
  return Fault.of("RUNTIME_UNAVAILABLE", "", {
    cause: error,
    retryable: true,
    evidence: { words: error.message },
    message: "The edge does not answer",
  });
}
