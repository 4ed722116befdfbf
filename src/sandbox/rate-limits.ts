import type { IncomingMessage } from "node:http";
import type { Box } from "./box.ts";
import { findToken } from "./auth.ts";
import { retryLater, requestedTooOften, type Reply } from "./reply.ts";
import type { Call, Method } from "./route.ts";
import type { State } from "./state.ts";

const MINUTE = 60;

/** GitLab's names of the limits on endpoints, and the interval in which they count, in seconds. */
const LIMITED: Readonly<Record<string, { readonly name: string; readonly seconds: number }>> = {
  "GET /projects": { name: "projects_api", seconds: 10 * MINUTE },
  "GET /projects/:id": { name: "project_api", seconds: MINUTE },
  "GET /groups": { name: "groups_api", seconds: MINUTE },
  "GET /groups/:id": { name: "group_api", seconds: MINUTE },
  "GET /groups/:id/projects": { name: "group_projects_api", seconds: MINUTE },
};

/** The application's own limiter: 429 as JSON once a user asked more often than `faults.applicationLimits` allows. */
export function checkRateLimit(call: Call, method: Method, path: string): void {
  const limit = LIMITED[`${method} ${path}`];
  if (limit) countAgainst(call, limit.name, limit.seconds);
}

/** The same for a limit that GitLab checks elsewhere. */
export function countAgainst(call: Call, name: string, seconds: number): void {
  const { state } = call.box;
  const allowed = state.faults.applicationLimits[name];
  if (allowed === undefined) return;
  limitUse(call, name, `${call.currentUser()?.id ?? call.ip}`, allowed, seconds);
}

/** The same for a limit with a default and a scope of its own. `faults.applicationLimits` goes before the default. */
export function limitUse(call: Call, name: string, scope: string, usual: number, seconds = MINUTE): void {
  const { state, version } = call.box;
  const { count, left } = countUp(state, `${name} ${scope}`, seconds);
  if (count <= (state.faults.applicationLimits[name] ?? usual)) return;
  throw requestedTooOften(version.has("retryAfterOfLimits") ? { "Retry-After": String(left) } : {});
}

/** Counts one request under a key in fixed periods; `left` are the seconds until the next one begins. */
export function countUp(
  state: State,
  key: string,
  seconds: number,
): { readonly count: number; readonly left: number } {
  const now = Math.floor(state.clock.now() / 1000);
  const period = Math.floor(now / seconds);
  const full = `${key} ${seconds} ${period}`;
  const count = (state.requestCounts.get(full) ?? 0) + 1;
  if (!state.requestCounts.has(full)) forgetPeriods(state, key);
  state.requestCounts.set(full, count);
  return { count, left: (period + 1) * seconds - now };
}

function forgetPeriods(state: State, key: string): void {
  for (const old of state.requestCounts.keys())
    if (old.startsWith(`${key} `)) state.requestCounts.delete(old);
}

/**
 * Rack::Attack, which stands before Rails: counts the request for the user of its token, or for its address, and answers 429 in plain text
 * beyond `faults.rackAttack`. A wrong token is nobody's.
 */
export function throttle(
  box: Box,
  request: IncomingMessage,
  query: URLSearchParams,
  ip: string,
): { readonly refused: Reply | null; readonly headers: Readonly<Record<string, string>> } {
  const { rackAttack } = box.state.faults;
  if (!rackAttack) return { refused: null, headers: {} };
  const { requests: limit, periodSeconds } = rackAttack;
  const user = userOf(box.state, request, query);
  const name = user === null ? "throttle_unauthenticated_api" : "throttle_authenticated_api";
  const { count, left } = countUp(box.state, `${name} ${user ?? ip}`, periodSeconds);
  const reset = Math.floor(box.state.clock.now() / 1000) + left;
  const headers: Record<string, string> = {};
  if (box.version.has("rackAttackRateLimit")) {
    headers["RateLimit-Name"] = name;
    headers["RateLimit-Limit"] = String(Math.ceil((limit * MINUTE) / periodSeconds));
    headers["RateLimit-Observed"] = String(count);
    headers["RateLimit-Remaining"] = String(Math.max(0, limit - count));
    headers["RateLimit-Reset"] = String(reset);
    headers["RateLimit-ResetTime"] = new Date(reset * 1000).toUTCString();
  }
  if (count <= limit)
    return { refused: null, headers: box.version.has("rateLimitHeadersAlways") ? headers : {} };
  if (box.version.has("rackAttackRetryAfter")) headers["Retry-After"] = String(left);
  return { refused: retryLater(headers), headers };
}

function userOf(state: State, request: IncomingMessage, query: URLSearchParams): number | null {
  const header = request.headers["private-token"];
  const bearer = /^Bearer +(\S+)/i.exec(request.headers.authorization ?? "")?.[1];
  const value = query.get("private_token") ?? (Array.isArray(header) ? header[0] : header) ?? bearer;
  return value === undefined ? null : (findToken(state, value)?.user.id ?? null);
}
