import type { IncomingMessage } from "node:http";
import { digestOf, type State, type Token } from "../state.ts";

/** How a token will end. */
export interface TokenEnd {
  readonly how: "revoke" | "expire";
  /** So many requests with it are answered as before. */
  after: number;
}

/** Counts a request that carries a token which is to end half-way, and ends it when its time has come. */
export function countTokenUse(state: State, request: IncomingMessage, query: URLSearchParams): void {
  if (state.tokenEnds.size === 0) return;
  for (const token of tokensOf(state, request, query)) {
    const end = state.tokenEnds.get(token.id);
    if (!end) continue;
    if (end.after > 0) {
      end.after--;
      continue;
    }
    if (end.how === "revoke") token.revoked = true;
    else token.expiresAt = state.now().slice(0, 10);
    state.tokenEnds.delete(token.id);
  }
}

function tokensOf(state: State, request: IncomingMessage, query: URLSearchParams): Set<Token> {
  const { authorization = "" } = request.headers;
  const [, scheme = "", value = ""] = /^(Bearer|Basic) +(\S+) *$/i.exec(authorization) ?? [];
  const pair = Buffer.from(value, "base64").toString("utf8");
  const values = [
    query.get("private_token"),
    String(request.headers["private-token"] ?? ""),
    scheme.toLowerCase() === "basic" ? pair.slice(pair.indexOf(":") + 1) : value,
  ];
  return new Set(values.flatMap((one) => (one ? (state.tokens.get(digestOf(one)) ?? []) : [])));
}
