import type { z } from "zod";
import type { Box } from "./box.ts";
import { ignoredParameters } from "./ignored-parameters.ts";
import { validate, type Rules } from "./params.ts";
import { checkRateLimit } from "./rate-limits.ts";
import type { Reply } from "./reply.ts";
import type { RegisteredScope } from "./scopes.ts";
import type { Token, User } from "./state.ts";
import type { Feature } from "./versions.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** One API request, as a handler sees it. */
export interface Call {
  readonly box: Box;
  readonly method: Method;
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
  /** The token that `authenticate` accepted; with `Sudo` still that of who asks. */
  currentToken(): Token;
  /** Without regard to case; of a repeated header the first. */
  header(name: string): string | null;
  /** Where the request comes from. */
  readonly ip: string;
}

/** One endpoint. The order of its checks is GitLab's: `authenticate`, `before`, parameters, `handle`. */
export interface Route {
  readonly method: Method;
  /** `/projects/:id/hooks`; each part matches one encoded segment. */
  readonly path: string;
  /** Scopes that open this beside `api` and `read_api`; `any`: every living token. */
  readonly scopes: readonly RegisteredScope[] | "any";
  /** `before`: credentials are settled before parameters are looked at. `lazily`: when the handler asks for them. */
  readonly authenticate: "before" | "lazily";
  /** The names of its parameters, those in the path included where they have a type. */
  readonly parameters: readonly string[];
  /** In older versions the URL does not exist. */
  readonly since: Feature | null;
  /** From this version on the URL does not exist, or another route answers it. */
  readonly until: Feature | null;
  handle(call: Call): Promise<Reply> | Reply;
}

interface Definition<Shape extends z.ZodRawShape> {
  readonly method: Method;
  readonly path: string;
  readonly scopes?: readonly RegisteredScope[] | "any";
  readonly authenticate?: "before" | "lazily";
  readonly since?: Feature;
  readonly until?: Feature;
  /** Objects and roles that GitLab checks before the parameters. Throws refusals. */
  readonly before?: (call: Call) => void;
  readonly params: Shape;
  /** At least one of these parameters must be there. */
  readonly needsOneOf?: readonly string[];
  /** What else the parameters must be together. */
  readonly rules?: Rules;
  readonly handle: (call: Call, params: z.output<z.ZodObject<Shape>>) => Promise<Reply> | Reply;
}

/** Makes a route whose handler gets its parameters checked and typed. */
export function route<Shape extends z.ZodRawShape>(definition: Definition<Shape>): Route {
  const { method, path, scopes = [], authenticate = "before", since = null, until = null } = definition;
  return {
    method,
    path,
    scopes,
    authenticate,
    parameters: Object.keys(definition.params),
    since,
    until,
    handle: (call) => {
      if (authenticate === "before") call.authenticate();
      definition.before?.(call);
      const given = { ...call.input, ...call.path };
      const ignored = ignoredParameters(`${method} ${path}`);
      const { needsOneOf = [] } = definition;
      // an update wants one of all that can be updated, a creation one of the few that it names
      const updates = method === "PUT" && needsOneOf.length > 0 ? Object.keys(ignored) : [];
      const params = validate(definition.params, given, [...needsOneOf, ...updates], {
        ...definition.rules,
        ignored,
      });
      checkRateLimit(call, method, path);
      return definition.handle(call, params);
    },
  };
}
