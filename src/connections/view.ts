import type { Selectable } from "kysely";
import type { ConnectionTable } from "../store/rows.ts";
import type { ConnectionView } from "./connections.ts";
import { parseTrouble } from "./trouble.ts";

/** Every column people may see. The token is not among them, so that no list ever reads it. */
export const VIEW_COLUMNS = [
  "id",
  "name",
  "base_url",
  "web_url",
  "version",
  "edition",
  "reached_by",
  "token_kind",
  "token_name",
  "token_scopes",
  "token_scopes_known_by",
  "token_expires_at",
  "username",
  "created_at",
  "checked_at",
  "trouble",
  "paused_at",
  "rotate_before_days",
  "rotate_for_days",
] as const;

type ViewRow = Pick<Selectable<ConnectionTable>, (typeof VIEW_COLUMNS)[number]>;

export function toView(row: ViewRow): ConnectionView {
  return {
    id: row.id,
    name: row.name,
    baseUrl: row.base_url,
    webUrl: row.web_url,
    version: row.version,
    edition: row.edition,
    reachedBy: row.reached_by,
    tokenKind: row.token_kind,
    tokenName: row.token_name,
    tokenScopes: row.token_scopes,
    tokenScopesKnownBy: row.token_scopes_known_by,
    tokenExpiresAt: row.token_expires_at,
    username: row.username,
    createdAt: row.created_at,
    checkedAt: row.checked_at,
    trouble: parseTrouble(row.trouble),
    pausedAt: row.paused_at,
    rotateBeforeDays: row.rotate_before_days,
    rotateForDays: row.rotate_for_days,
  };
}
