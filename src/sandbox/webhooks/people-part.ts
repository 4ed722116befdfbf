import { createHash } from "node:crypto";
import type { Box } from "../box.ts";
import type { State, User } from "../state.ts";

/** The picture GitLab makes up for somebody who has none. */
export function gravatar(user: User): string {
  const digest = createHash("sha256").update(user.email.trim().toLowerCase()).digest("hex");
  return `https://secure.gravatar.com/avatar/${digest}?s=80&d=identicon`;
}

/** `user` of payloads about work on a project. */
export function userPart(box: Pick<Box, "version">, user: User): Record<string, unknown> {
  const { version } = box;
  return {
    ...(version.has("webhookUserId") ? { id: user.id } : {}),
    name: user.name,
    username: user.username,
    avatar_url: gravatar(user),
    ...(version.has("webhookUserEmail") ? { email: "[REDACTED]" } : {}),
  };
}

export function peopleOf(state: State, ids: readonly number[]): User[] {
  return ids.flatMap((id) => state.users.get(id) ?? []);
}

/** `2025-08-05T21:48:25.123Z` → `2025-08-05 21:48:25 UTC`. */
export function hookTime(iso: string | null): string | null {
  return iso === null ? null : `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}
