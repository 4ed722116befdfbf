import { requestedTooOften, type Refusal } from "./reply.ts";
import type { State } from "./state.ts";
import type { Version } from "./versions.ts";

const MINUTE = 60_000;

/** Counts one use; true while no more than `limit` were made in this minute. GitLab's limiter counts in fixed periods. */
export function admits(state: State, key: string, limit: number): boolean {
  const period = Math.floor(state.clock.now() / MINUTE);
  const name = `${key} ${period}`;
  const uses = (state.uses.get(name) ?? 0) + 1;
  for (const old of state.uses.keys()) if (!old.endsWith(` ${period}`)) state.uses.delete(old);
  state.uses.set(name, uses);
  return uses <= limit;
}

/** The answer of GitLab's application limiter; `Retry-After` came with 18.5. */
export function tooManyRequests(version: Version): Refusal {
  return requestedTooOften(version.has("retryAfterOfLimits") ? { "Retry-After": "60" } : {});
}
