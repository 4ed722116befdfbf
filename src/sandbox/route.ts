import type { z } from "zod";
import type { Box } from "./box.ts";
import { validate } from "./params.ts";
import type { Reply } from "./reply.ts";
import type { Token, User } from "./state.ts";
import type { Feature } from "./versions.ts";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** One API request, as a handler sees it. */
export interface Call {
  readonly box: Box;
  readonly head: boolean;
  /** The request's own URL without the query, as paging links need it. */
  readonly url: string;
  readonly query: URLSearchParams;
  /** Named parts of the path, decoded. */
  readonly path: Readonly<Record<string, string>>;
  /** Query and body together. */
  readonly input: Readonly<Record<string, unknown>>;
  /** The user of the token; null without a token; throws a refusal for a token that does not do. */
  currentUser(): User | null;
  /** The same, but no token is a 401. */
  authenticate(): User;
  /** The token that `authenticate` accepted. */
  currentToken(): Token;
}

/** One endpoint. The order of its checks is GitLab's: `authenticate`, `before`, parameters, `handle`. */
export interface Route {
  readonly method: Method;
  /** `/projects/:id/hooks`; each part matches one encoded segment. */
  readonly path: string;
  /** Scopes that may read here beside `api` and `read_api`; `any`: every living token. */
  readonly scopes: readonly string[] | "any";
  /** `before`: credentials are settled before parameters are looked at. `lazily`: when the handler asks for them. */
  readonly authenticate: "before" | "lazily";
  /** In older versions the URL does not exist. */
  readonly since: Feature | null;
  handle(call: Call): Promise<Reply> | Reply;
}

interface Definition<Shape extends z.ZodRawShape> {
  readonly method: Method;
  readonly path: string;
  readonly scopes?: readonly string[] | "any";
  readonly authenticate?: "before" | "lazily";
  readonly since?: Feature;
  /** Objects and roles that GitLab checks before the parameters. Throws refusals. */
  readonly before?: (call: Call) => void;
  readonly params: Shape;
  /** At least one of these parameters must be there. */
  readonly needsOneOf?: readonly string[];
  readonly handle: (call: Call, params: z.output<z.ZodObject<Shape>>) => Promise<Reply> | Reply;
}

/** Makes a route whose handler gets its parameters checked and typed. */
export function route<Shape extends z.ZodRawShape>(definition: Definition<Shape>): Route {
  const { method, path, scopes = [], authenticate = "before", since = null } = definition;
  return {
    method,
    path,
    scopes,
    authenticate,
    since,
    handle: (call) => {
      if (authenticate === "before") call.authenticate();
      definition.before?.(call);
      const given = { ...call.input, ...call.path };
      return definition.handle(call, validate(definition.params, given, definition.needsOneOf ?? []));
    },
  };
}
