import { toError } from "../kernel/clock.ts";

type TurnKind = "deploy" | "fill";

/**
 * Runs `work` when it is its turn. `interrupted` aborts when a deployment wants the same key (fills only); `waited` tells whether others had
 * their turn in between.
 */
export type Turns = <T>(
  key: string,
  kind: TurnKind,
  signal: AbortSignal,
  work: (interrupted: AbortSignal, waited: boolean) => Promise<T>,
) => Promise<T>;

interface Turn {
  readonly interrupted: AbortSignal;
  [Symbol.dispose](): void;
}

interface Waiter {
  readonly kind: TurnKind;
  readonly start: () => void;
}

interface Line {
  current: { readonly kind: TurnKind; readonly interrupt: AbortController } | null;
  waiting: Waiter[];
}

/**
 * One at a time for each key, in order of arrival, deployments before fills. A deployment that finds a fill at work interrupts it: a
 * killed fetch costs only its own work, a waiting person more.
 */
export function createTurns(): Turns {
  const lines = new Map<string, Line>();

  const next = (key: string, line: Line): void => {
    line.current = null;
    const index = line.waiting.findIndex((waiter) => waiter.kind === "deploy");
    const [waiter] = line.waiting.splice(Math.max(index, 0), 1);
    if (waiter) waiter.start();
    else lines.delete(key);
  };

  const begin = (key: string, line: Line, kind: TurnKind): Turn => {
    const current = { kind, interrupt: new AbortController() };
    line.current = current;
    return {
      interrupted: current.interrupt.signal,
      [Symbol.dispose]: () => {
        if (line.current === current) next(key, line);
      },
    };
  };

  const take = async (key: string, kind: TurnKind, signal: AbortSignal): Promise<Turn> => {
    signal.throwIfAborted();
    const line = lines.get(key) ?? { current: null, waiting: [] };
    lines.set(key, line);
    if (line.current === null) return begin(key, line, kind);
    if (kind === "deploy" && line.current.kind === "fill") line.current.interrupt.abort();
    return new Promise<Turn>((resolve, reject) => {
      const waiter: Waiter = {
        kind,
        start: () => {
          signal.removeEventListener("abort", leave);
          resolve(begin(key, line, kind));
        },
      };
      const leave = (): void => {
        line.waiting = line.waiting.filter((other) => other !== waiter);
        reject(toError(signal.reason));
      };
      signal.addEventListener("abort", leave, { once: true });
      line.waiting.push(waiter);
    });
  };

  return async (key, kind, signal, work) => {
    const waited = lines.has(key);
    using turn = await take(key, kind, signal);
    return await work(turn.interrupted, waited);
  };
}
