import { Fault } from "../faults/fault.ts";
import type { Secret } from "../kernel/secret.ts";

export interface Request {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** `/projects/:id/hooks`; each `:name` is taken from `params` and encoded. */
  readonly template: string;
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: Readonly<Record<string, unknown>>;
  /** For git over HTTP: outside of the API, and with the token as password, which is all that GitLab takes there. */
  readonly git?: true;
  /** The answer holds a secret: no word of it becomes evidence, whatever it is. */
  readonly secretAnswer?: true;
  /** Milliseconds for one try, from connecting to the last byte. Default 15,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** `/gitlab/api/v4/projects/42/hooks?page=2`, or `/gitlab/group/project.git/info/refs`. */
export function toPath(base: URL, request: Request): string {
  const path = request.template.replaceAll(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(String(request.params?.[name] ?? "").toWellFormed()),
  );
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query ?? {})) query.append(name, String(value));
  const prefix = base.pathname === "/" ? "" : base.pathname;
  return `${prefix}${request.git ? "" : "/api/v4"}${path}${query.size === 0 ? "" : `?${query.toString()}`}`;
}

/**
 * JSON is declared on every write, DELETE included: in maintenance mode GitLab answers other types with a redirect to a web page.
 * Throws `AUTH_FAILED` for what cannot be a token, because the library's complaint about such a header would quote it.
 */
export function toHeaders(
  request: Request,
  sender: { readonly token: Secret | null; readonly userAgent: string; readonly host: string },
): Record<string, string> {
  const token = sender.token?.reveal();
  if (token !== undefined && !/^[\u0021-\u007e]+$/.test(token)) {
    const note = "The token is empty or holds blanks, line ends or letters that no token has";
    const evidence = { method: request.method, pathTemplate: request.template, host: sender.host, note };
    throw Fault.of("AUTH_FAILED", "unknown_token", { evidence });
  }
  return {
    accept: request.git ? "*/*" : "application/json",
    "accept-encoding": "identity",
    "user-agent": sender.userAgent,
    ...(token === undefined ? {} : { authorization: request.git ? toBasic(token) : `Bearer ${token}` }),
    ...(request.method === "GET" ? {} : { "content-type": "application/json" }),
  };
}

function toBasic(token: string): string {
  return `Basic ${Buffer.from(`oauth2:${token}`).toString("base64")}`;
}
