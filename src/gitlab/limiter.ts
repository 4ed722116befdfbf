import { sleep, toError, type Clock } from "../kernel/clock.ts";

export interface Limiter {
  /** Runs `work` when one of the slots is free. Rejects with the signal's reason when it aborts while waiting. */
  run<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T>;
  /** Learns from `RateLimit-*` headers, which GitLab sends on all answers since 18.6. */
  observe(headers: Readonly<Record<string, string | undefined>>): void;
}

/** At most `slots` requests at once, in order of arrival, and slower when GitLab's rate limit is nearly used up. */
export function createLimiter(slots: number, clock: Clock): Limiter {
  const line = createLine(slots);
  const pacer = createPacer(clock);
  return {
    async run(signal, work) {
      await line.take(signal);
      try {
        await pacer.wait(signal);
        return await work();
      } finally {
        line.give();
      }
    },
    observe: (headers) => pacer.observe(headers),
  };
}

interface Line {
  take(signal: AbortSignal | undefined): Promise<void>;
  give(): void;
}

function createLine(slots: number): Line {
  const waiting = new Set<() => void>();
  let active = 0;
  return {
    async take(signal) {
      signal?.throwIfAborted();
      if (active < slots) {
        active++;
        return;
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const stop = (): void => {
        waiting.delete(resolve);
        reject(toError(signal?.reason));
      };
      waiting.add(resolve);
      signal?.addEventListener("abort", stop, { once: true });
      await promise.finally(() => signal?.removeEventListener("abort", stop));
    },

    /** The slot goes straight to the next in line, so nobody can slip in between. */
    give() {
      const [next] = waiting;
      if (!next) {
        active--;
        return;
      }
      waiting.delete(next);
      next();
    },
  };
}

const MAX_GAP_MS = 5000;

interface Pacer {
  wait(signal: AbortSignal | undefined): Promise<void>;
  observe(headers: Readonly<Record<string, string | undefined>>): void;
}

/** When less than a tenth of the limit remains, starts are spread over the time until it resets, at most 5 s apart. */
function createPacer(clock: Clock): Pacer {
  let gapMs = 0;
  let slowUntil = 0;
  let nextStart = 0;
  return {
    async wait(signal) {
      const now = clock.now();
      if (now >= slowUntil) return;
      const start = Math.max(now, nextStart);
      nextStart = start + gapMs;
      if (start > now) await sleep(start - now, signal);
    },

    observe(headers) {
      const limit = Number(headers["ratelimit-limit"]);
      const remaining = Number(headers["ratelimit-remaining"]);
      const resetMs = Number(headers["ratelimit-reset"]) * 1000;
      if (!(limit > 0) || !(remaining >= 0) || !(resetMs > 0)) return;
      const now = clock.now();
      if (remaining >= limit / 10) {
        slowUntil = 0;
        return;
      }
      gapMs = Math.min(MAX_GAP_MS, Math.max(0, resetMs - now) / Math.max(1, remaining));
      slowUntil = resetMs;
      nextStart = Math.max(nextStart, now + gapMs);
    },
  };
}
