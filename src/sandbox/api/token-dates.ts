import type { Box } from "../box.ts";
import type { State } from "../state.ts";

const DAY = 24 * 60 * 60 * 1000;
const LONGEST_LIFE = 365;

/** `YYYY-MM-DD` so many days from now. */
export function dayIn(state: State, days: number): string {
  return new Date(state.clock.now() + days * DAY).toISOString().slice(0, 10);
}

/** What GitLab's model has against a day of expiry (§4); a day of the past is none of its concerns. */
export function checkLifetime({ state, version }: Box, expiresAt: string): string | null {
  const last = dayIn(state, LONGEST_LIFE);
  return version.has("tokensMustExpire") && expiresAt > last ? `Expires at must be before ${last}` : null;
}

/** When a new token expires that was asked for without a day: after the longest life, or never where that is allowed. */
export function defaultExpiry({ state, version }: Box): string | null {
  const must =
    version.has("tokensMustExpire") && (!version.has("expiryOptional") || state.settings.requireTokenExpiry);
  return must ? dayIn(state, LONGEST_LIFE) : null;
}
