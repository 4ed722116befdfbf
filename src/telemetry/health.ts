import { deadline, systemClock, type Clock } from "../kernel/clock.ts";

export interface PartHealth {
  readonly ok: boolean;
  /** One plain sentence when not ok; never a secret. */
  readonly message: string | null;
  readonly ms: number;
}

export interface Readiness {
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, PartHealth>>;
}

export interface Health {
  /** Asks every part at the same time. Callers within a second share one answer: the page is open to everybody and must not load the database. */
  readiness(): Promise<Readiness>;
}

/** Each part throws when it is not ready; it is given up after `timeoutMs`. What it threw is not shown, it may hold addresses and paths. */
export type HealthParts = Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>>;

const FRESH_MS = 1000;

export function createHealth(
  parts: HealthParts,
  options: { timeoutMs?: number; clock?: Clock } = {},
): Health {
  const clock = options.clock ?? systemClock;
  let last: { at: number; answer: Promise<Readiness> } | null = null;
  return {
    readiness: async () => {
      if (last === null || clock.now() - last.at >= FRESH_MS) {
        last = { at: clock.now(), answer: askAll(parts, options.timeoutMs ?? 2000, clock) };
      }
      return last.answer;
    },
  };
}

async function askAll(parts: HealthParts, timeoutMs: number, clock: Clock): Promise<Readiness> {
  const asked = await Promise.all(
    Object.entries(parts).map(async ([name, ask]) => [name, await askOne(ask, timeoutMs, clock)] as const),
  );
  return { ready: asked.every(([, part]) => part.ok), parts: Object.fromEntries(asked) };
}

async function askOne(ask: HealthParts[string], timeoutMs: number, clock: Clock): Promise<PartHealth> {
  const started = clock.now();
  const signal = deadline(timeoutMs);
  const late = Promise.withResolvers<never>();
  const giveUp = (): void => late.reject(new Error("deadline"));
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    await Promise.race([ask(signal), late.promise]);
    return { ok: true, message: null, ms: clock.now() - started };
  } catch {
    const message = signal.aborted ? `did not answer within ${timeoutMs} ms` : "is not available";
    return { ok: false, message, ms: clock.now() - started };
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
