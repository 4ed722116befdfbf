import { Agent, request } from "node:http";
import { sleep } from "../kernel/clock.ts";

export interface LoadResult {
  readonly kept: number;
  readonly fresh: number;
  readonly failed: number;
  /** Requests a second over the whole time. */
  readonly rate: number;
  /** The first failures in words. */
  readonly failures: readonly string[];
}

export interface Load {
  /** Stops asking, waits for the last answers and tells the counts. */
  stop(): Promise<LoadResult>;
}

const TICK_MS = 10;
const PER_TICK = 2;

/**
 * Asks the app about 200 times a second until it is stopped: one half over connections that are kept, one half over fresh ones. Anything
 * but a 200 with a body is a failure.
 */
export function startLoad(edge: { readonly host: string; readonly port: number }, host: string): Load {
  const kept = new Agent({ keepAlive: true, maxSockets: 16 });
  const stopping = new AbortController();
  const counts = { kept: 0, fresh: 0 };
  const failures: string[] = [];
  const open = new Set<Promise<void>>();
  const begun = performance.now();
  let turn = 0;
  const ask = (): void => {
    const kind = turn++ % 2 === 0 ? "kept" : "fresh";
    const asked = get(edge, host, kind === "kept" ? kept : false)
      .then(() => void counts[kind]++)
      .catch((error: unknown) => void failures.push(error instanceof Error ? error.message : String(error)))
      .finally(() => open.delete(asked));
    open.add(asked);
  };
  const loop = (async () => {
    for (let next = begun; !stopping.signal.aborted; next += TICK_MS) {
      for (let i = 0; i < PER_TICK; i++) ask();
      const pause = next + TICK_MS - performance.now();
      if (pause > 0) await sleep(pause, stopping.signal).catch(() => {}); // stop() wakes it
      else await sleep(0);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await loop;
      await Promise.all(open);
      kept.destroy();
      const seconds = (performance.now() - begun) / 1000;
      const all = counts.kept + counts.fresh + failures.length;
      return {
        ...counts,
        failed: failures.length,
        rate: Math.round(all / seconds),
        failures: failures.slice(0, 3),
      };
    },
  };
}

/** One request with its own deadline; resolves to the body of a 200, throws otherwise. */
export function get(
  edge: { readonly host: string; readonly port: number },
  host: string,
  agent: Agent | false,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      host: edge.host,
      port: edge.port,
      path: "/",
      headers: { host },
      agent,
      signal: AbortSignal.timeout(10_000),
    };
    const asked = request(options, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (body += part));
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200 && body !== "") resolve(body);
        else reject(new Error(`answered ${response.statusCode}`));
      });
    });
    asked.on("error", reject);
    asked.end();
  });
}
