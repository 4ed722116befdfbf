import { sleep } from "./clock.ts";

export interface RetryPolicy {
  /** Tries in all, the first included. */
  readonly attempts: number;
  /** First wait in milliseconds; doubles each time, with jitter. */
  readonly baseMs: number;
  readonly maxMs: number;
  readonly signal?: AbortSignal;
  /** Milliseconds to wait before the next try, or null to give up with this error. Default: back-off for every error. */
  readonly waitFor?: (error: unknown, attempt: number) => number | null;
}

/** Runs `work` until it succeeds, the policy gives up, or the signal aborts. Throws the last error. */
export async function retry<T>(policy: RetryPolicy, work: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt >= policy.attempts || policy.signal?.aborted) throw error;
      const wait = policy.waitFor
        ? policy.waitFor(error, attempt)
        : backoff(attempt, policy.baseMs, policy.maxMs);
      if (wait === null) throw error;
      await sleep(wait, policy.signal);
    }
  }
}

/** Exponential back-off in milliseconds with jitter between half and the whole of the step. */
export function backoff(attempt: number, baseMs: number, maxMs: number): number {
  const step = Math.min(maxMs, baseMs * 2 ** (attempt - 1));
  return step / 2 + (Math.random() * step) / 2;
}

/**
 * Polls `condition` until it gives something other than false, null or undefined. Throws the signal's reason when it aborts:
 * give it one with a deadline.
 */
export async function waitUntil<T>(
  condition: () => Promise<T> | T,
  options: { readonly everyMs: number; readonly signal: AbortSignal },
): Promise<NonNullable<T>> {
  for (;;) {
    const found = await condition();
    if (found !== null && found !== undefined && found !== false) return found;
    await sleep(options.everyMs, options.signal);
  }
}
