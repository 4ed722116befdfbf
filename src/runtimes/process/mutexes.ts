export interface Mutexes {
  /** Runs `work` when no other work of the same key runs any more, in the order of the calls. */
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function createMutexes(): Mutexes {
  const last = new Map<string, Promise<unknown>>();
  return {
    run: async (key, work) => {
      const before = last.get(key);
      const mine = (async () => {
        await before?.catch(() => {}); // its caller hears of it
        return work();
      })();
      last.set(key, mine);
      try {
        return await mine;
      } finally {
        if (last.get(key) === mine) last.delete(key);
      }
    },
  };
}
