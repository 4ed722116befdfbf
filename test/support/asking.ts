import { Agent, request } from "node:http";
import { sleep } from "../../src/kernel/clock.ts";

export interface Asked {
  readonly asked: number;
  /** What went wrong, in words. */
  readonly failures: readonly string[];
  /** The bodies in the order in which they were asked for, each run of equal ones once: `v1, v2`. */
  readonly bodies: readonly string[];
}

export interface Asking {
  stop(): Promise<Asked>;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

const EVERY_MS = 25;

/**
 * Asks an app through the edge 40 times a second until stopped, half on kept and half on fresh connections. Gentler than the demonstration's load,
 * because a test of crashes wants to know whether it answers, not how fast.
 */
export function startAsking(edge: Address, host: string): Asking {
  const kept = new Agent({ keepAlive: true, maxSockets: 4 });
  const stopping = new AbortController();
  const answers: string[] = [];
  const failures: string[] = [];
  const open = new Set<Promise<void>>();
  const begun = performance.now();
  const loop = (async () => {
    for (let turn = 0; !stopping.signal.aborted; turn++) {
      const at = turn;
      const asked = askApp(edge, host, { agent: turn % 2 === 0 ? kept : false })
        .then((body) => void (answers[at] = body))
        .catch(
          (error: Error) =>
            void failures.push(`${Math.round(performance.now() - begun)} ms: ${error.message}`),
        )
        .finally(() => open.delete(asked));
      open.add(asked);
      await sleep(EVERY_MS, stopping.signal).catch(() => {}); // stop() wakes it
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await loop;
      await Promise.all(open);
      kept.destroy();
      const bodies = answers.filter((body) => body !== undefined);
      return {
        asked: bodies.length + failures.length,
        failures,
        bodies: bodies.filter((body, index) => body !== bodies[index - 1]),
      };
    },
  };
}

/** One request; the body of a 200, else throws. */
export function askApp(
  { host: address, port }: Address,
  host: string,
  options: { path?: string; agent?: Agent | false; timeoutMs?: number } = {},
): Promise<string> {
  const { path = "/", agent = false, timeoutMs = 20_000 } = options;
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const asked = request({ host: address, port, path, agent, signal, headers: { host } }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (body += part));
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`answered ${response.statusCode}: ${body.slice(0, 100)}`));
      });
    });
    asked.on("error", reject);
    asked.end();
  });
}
