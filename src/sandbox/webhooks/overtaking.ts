import { sleep } from "../../kernel/clock.ts";

/** Nobody overtakes a call that is the last for so long. */
const PATIENCE_MS = 3000;

/** Lets calls change places: the first of two waits until the second has been made. */
export function createOvertaking(signal: AbortSignal): { wait(): Promise<() => void> } {
  let waiting: (() => void) | null = null;
  return {
    wait: async () => {
      if (waiting) {
        const release = waiting;
        waiting = null;
        return release;
      }
      const ending = new AbortController();
      const { promise: overtaken, resolve } = Promise.withResolvers<void>();
      waiting = resolve;
      const patience = sleep(PATIENCE_MS, AbortSignal.any([signal, ending.signal])).catch(() => {});
      await Promise.race([overtaken, patience]);
      ending.abort();
      if (waiting === resolve) waiting = null;
      return () => {};
    },
  };
}
