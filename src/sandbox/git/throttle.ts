import { sleep } from "../../kernel/clock.ts";

/**
 * Lets bytes through at a rate, asked anew for each piece; null lets them through at once. What waits fills the pipe, so that git
 * itself stands still behind it.
 */
export function throttle(
  bytesPerSecond: () => number | null,
): (source: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array> {
  return async function* (source) {
    for await (const piece of source) {
      for (let at = 0; at < piece.length;) {
        const rate = bytesPerSecond();
        const size = rate === null ? piece.length : Math.max(1, Math.ceil(rate / 20));
        if (rate !== null) await sleep((Math.min(size, piece.length - at) / rate) * 1000);
        yield piece.subarray(at, at + size);
        at += size;
      }
    }
  };
}
