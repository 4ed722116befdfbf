/** Waits that can be cut short: a wake-up given while nobody waits is kept for the next wait. */
export interface Wake {
  wake(): void;
  /** Resolves after a wake-up, after `ms` milliseconds, or when the signal aborts. Never rejects. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export function createWake(): Wake {
  let rung = false;
  let ring = (): void => {};
  return {
    wake() {
      rung = true;
      ring();
    },
    async wait(ms, signal) {
      if (!rung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const done = (): void => {
            clearTimeout(timer);
            signal.removeEventListener("abort", done);
            resolve();
          };
          const timer = setTimeout(done, ms);
          ring = done;
          signal.addEventListener("abort", done, { once: true });
        });
      }
      ring = () => {};
      rung = false;
    },
  };
}
