import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import type { Clock } from "../../kernel/clock.ts";

/** GitLab's `RecursionDetection`: a chain of hooks whose receivers call GitLab, which calls hooks, ends. */
const LONGEST_CHAIN = 100;
const KEPT_MS = 30 * 60_000;

export interface Chains {
  /** Runs a request that a receiver made while it answered a hook: it carries the id of the event on. */
  readonly within: <T>(eventId: string | undefined, work: () => T) => T;
  /** The id for the event's header; null when this hook may not be called in this chain any more. */
  readonly enter: (hookId: number) => string | null;
}

export function createChains(clock: Clock): Chains {
  const current = new AsyncLocalStorage<string>();
  const chains = new Map<string, { readonly hooks: Set<number>; until: number }>();
  return {
    within: (eventId, work) => {
      const known = eventId !== undefined && /^[0-9a-f-]{36}$/i.test(eventId);
      return known ? current.run(eventId, work) : work();
    },
    enter: (hookId) => {
      const now = clock.now();
      for (const [id, chain] of chains) if (chain.until <= now) chains.delete(id);
      const eventId = current.getStore() ?? randomUUID();
      const chain = chains.get(eventId) ?? { hooks: new Set<number>(), until: 0 };
      if (chain.hooks.has(hookId) || chain.hooks.size >= LONGEST_CHAIN) return null;
      chain.hooks.add(hookId);
      chain.until = now + KEPT_MS;
      chains.set(eventId, chain);
      return eventId;
    },
  };
}
