import type { z } from "zod";
import { isExpired } from "../auth.ts";
import { date, dateTime, flag, oneOf, text } from "../params.ts";
import type { State, Token } from "../state.ts";

/** Filters of all lists of tokens (15.5+). */
export const tokenFilters = {
  revoked: flag.optional(),
  state: oneOf(["active", "inactive"]).optional(),
  created_before: dateTime.optional(),
  created_after: dateTime.optional(),
  last_used_before: dateTime.optional(),
  last_used_after: dateTime.optional(),
  expires_before: date.optional(),
  expires_after: date.optional(),
  search: text.optional(),
  sort: text.optional(),
};

type Filters = z.output<z.ZodObject<typeof tokenFilters>>;

export function filterTokens(state: State, tokens: readonly Token[], filters: Filters): Token[] {
  const found = tokens.filter((token) => {
    const active = !token.revoked && !isExpired(state, token);
    return (
      (filters.revoked === undefined || token.revoked === filters.revoked) &&
      (filters.state === undefined || active === (filters.state === "active")) &&
      isWithin(token.createdAt, filters.created_after, filters.created_before) &&
      isWithin(token.lastUsedAt, filters.last_used_after, filters.last_used_before) &&
      isWithin(token.expiresAt, filters.expires_after, filters.expires_before) &&
      token.name.toLowerCase().includes((filters.search ?? "").toLowerCase())
    );
  });
  return sorted(found, filters.sort);
}

function isWithin(value: string | null, after: string | undefined, before: string | undefined): boolean {
  if (after === undefined && before === undefined) return true;
  return value !== null && value >= (after ?? "") && (before === undefined || value <= before);
}

const SORT_KEYS: Readonly<Record<string, (token: Token) => string>> = {
  created: (token) => token.createdAt,
  created_at: (token) => token.createdAt,
  expires: (token) => token.expiresAt ?? "9",
  expires_at: (token) => token.expiresAt ?? "9",
  last_used: (token) => token.lastUsedAt ?? "",
  name: (token) => token.name.toLowerCase(),
};

/** `created_desc`; what is no such word changes nothing. */
function sorted(tokens: Token[], sort: string | undefined): Token[] {
  const [, word = "", direction] = /^(\w+)_(asc|desc)$/.exec(sort ?? "") ?? [];
  const key = SORT_KEYS[word];
  if (!key) return tokens;
  const sign = direction === "desc" ? -1 : 1;
  return tokens.toSorted((a, b) => {
    const [left, right] = [key(a), key(b)];
    return sign * (left < right ? -1 : left > right ? 1 : a.id - b.id);
  });
}
