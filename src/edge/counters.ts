export interface HostCounts {
  /** Answers by the first digit of their status; `5xx` holds also what the edge answered for an app. */
  readonly "1xx": number;
  readonly "2xx": number;
  readonly "3xx": number;
  readonly "4xx": number;
  readonly "5xx": number;
}

export interface Counters {
  /** Counts an answer of a host that has a route; others are counted together, or anybody could fill the memory with names. */
  count(host: string | null, status: number): void;
  forget(host: string): void;
  all(): Readonly<Record<string, HostCounts>>;
}

/** Under this name: requests for hosts without a route. */
const UNROUTED = "";

export function createCounters(): Counters {
  const byHost = new Map<string, number[]>();
  return {
    count: (host, status) => {
      const name = host ?? UNROUTED;
      let counts = byHost.get(name);
      if (!counts) byHost.set(name, (counts = [0, 0, 0, 0, 0]));
      const index = Math.min(5, Math.max(1, Math.floor(status / 100))) - 1;
      counts[index] = (counts[index] ?? 0) + 1;
    },
    forget: (host) => {
      byHost.delete(host);
    },
    all: () =>
      Object.fromEntries(
        Array.from(byHost, ([host, counts]) => [
          host,
          {
            "1xx": counts[0] ?? 0,
            "2xx": counts[1] ?? 0,
            "3xx": counts[2] ?? 0,
            "4xx": counts[3] ?? 0,
            "5xx": counts[4] ?? 0,
          },
        ]),
      ),
  };
}
