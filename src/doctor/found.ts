/** What a sound connection turned out to be: what is worth storing of it. The token itself is not in it. */
export interface Found {
  readonly baseUrl: string;
  /** By which browsers reach this GitLab, as it says itself; the base URL when it does not say. */
  readonly webUrl: string;
  readonly version: string | null;
  readonly edition: "ce" | "ee" | "unknown";
  readonly token: FoundToken;
  /** null: the token may not tell whose it is. */
  readonly user: { readonly id: number; readonly username: string } | null;
}

export type TokenKind = "personal" | "project" | "group" | "granular";

export interface FoundToken {
  readonly kind: TokenKind;
  readonly name: string | null;
  readonly scopes: readonly string[];
  readonly scopesKnownBy: "self" | "probe";
  /** `YYYY-MM-DD` */
  readonly expiresAt: string | null;
}
