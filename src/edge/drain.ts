import { deadline } from "../kernel/clock.ts";
import { waitUntil } from "../kernel/retry.ts";
import type { Upstream } from "./upstreams.ts";

/** Connections that were accepted just before a switch have sent their request by then. */
const AT_LEAST_MS = 1000;

/**
 * True when no route leads to a target any more, none has for a second, and nothing is under way to it; false when that has not
 * come true within `timeoutMs`, or the signal aborts. A target this edge never saw may have been one of the edge before it: that
 * one's requests are gone with it.
 */
export async function waitForDrain(
  find: () => Upstream | undefined,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const asked = performance.now();
  const isDrained = (): boolean => {
    const upstream = find();
    const since = upstream && upstream.retiredAt > 0 ? upstream.retiredAt : asked;
    if (performance.now() - since < AT_LEAST_MS) return false;
    return upstream === undefined || (upstream.routed === 0 && upstream.underway === 0);
  };
  const limit = deadline(timeoutMs, signal);
  try {
    return await waitUntil(isDrained, { everyMs: 20, signal: limit });
  } catch (error) {
    if (limit.aborted) return false;
    throw error;
  }
}
