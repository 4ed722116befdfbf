/** One answer, not yet on the wire. */
export interface Reply {
  readonly status: number;
  /** Sent as JSON. Absent together with `text`: an empty body. */
  readonly json?: unknown;
  readonly text?: string | Uint8Array;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Nothing of Rails has seen this request: its headers are missing. */
  readonly fromProxy?: true;
}

/** Ends a request with an answer that is not the endpoint's own. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly reply: Reply;

  constructor(reply: Reply) {
    super(`refused with ${reply.status}`);
    this.reply = reply;
  }
}

export function ok(json: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, json, headers };
}

export function created(json: unknown): Reply {
  return { status: 201, json };
}

export function noContent(): Reply {
  return { status: 204 };
}

/** Done later: `DELETE` of projects and groups. */
export function accepted(): Reply {
  return { status: 202, json: { message: "202 Accepted" } };
}

/** The same answer with more headers; its own win. */
export function withHeaders(reply: Reply, headers: Readonly<Record<string, string>>): Reply {
  return { ...reply, headers: { ...headers, ...reply.headers } };
}

// GitLab's envelopes. Which of them answers tells where in GitLab a request failed; nothing else in this folder writes one by hand.

/** `render_api_error!`: `{"message": …}`, the message a text or model errors by field. */
export function refuse(status: number, message: unknown): Refusal {
  return new Refusal({ status, json: { message } });
}

/** `error!('text', code)` and the parameter validators: `{"error": …}`. */
export function refuseAsError(status: number, error: unknown): Refusal {
  return new Refusal({ status, json: { error } });
}

/** No usable credential. */
export function unauthorized(): Refusal {
  return refuse(401, "401 Unauthorized");
}

/** Role, setting or user state. */
export function forbidden(reason?: string): Refusal {
  return refuse(403, reason === undefined ? "403 Forbidden" : `403 Forbidden - ${reason}`);
}

/** `not_found!('Project')`: absent or invisible, GitLab does not say which. */
export function notFound(what: string): Refusal {
  return refuse(404, `404 ${what} Not Found`);
}

/** A child row that `.find(id)` did not find: small f. */
export function recordNotFound(): Refusal {
  return refuse(404, "404 Not found");
}

/** The catch-all route: no such URL in this version. */
export function noSuchRoute(): Refusal {
  return refuseAsError(404, "404 Not Found");
}

export function badRequest(reason: string): Refusal {
  return refuse(400, `400 Bad request - ${reason}`);
}

/** `not_found!` without a name, unlike `recordNotFound` with a capital F. */
export function nothingFound(): Refusal {
  return refuse(404, "404 Not Found");
}

export function methodNotAllowed(): Refusal {
  return refuse(405, "405 Method Not Allowed");
}

export function conflict(reason?: string): Refusal {
  return refuse(409, reason === undefined ? "409 Conflict" : `409 Conflict: ${reason}`);
}

export function preconditionFailed(): Refusal {
  return refuse(412, "412 Precondition Failed");
}

/** The application's own rate limiter (§12). */
export function requestedTooOften(headers: Readonly<Record<string, string>>): Refusal {
  const error = "This endpoint has been requested too many times. Try again later.";
  return new Refusal({ status: 429, json: { message: { error } }, headers });
}

/** Rack::Attack, before Rails. */
export function retryLater(headers: Readonly<Record<string, string>>): Reply {
  return { status: 429, text: "Retry later\n", contentType: "text/plain", headers };
}

// The OAuth guard. Its errors have no realm of their own, so the gem's default stands in the header.

const REALM = 'Bearer realm="Protected by OAuth 2.0"';

/** The token was found, but is dead. */
export function invalidToken(description: string): Refusal {
  const challenge = `${REALM}, error="invalid_token", error_description="${description}"`;
  return new Refusal({
    status: 401,
    json: { error: "invalid_token", error_description: description },
    headers: { "WWW-Authenticate": challenge },
  });
}

/** Only the three standard codes of OAuth stand in the header; this is none of them. */
export function dpopError(reason: string): Refusal {
  return new Refusal({
    status: 401,
    json: { error: "dpop_error", error_description: `DPoP validation error: ${reason}` },
    headers: { "WWW-Authenticate": REALM },
  });
}

export function invalidRequest(description: string): Refusal {
  return new Refusal({
    status: 400,
    json: { error: "invalid_request", error_description: description },
  });
}

/** The token lives, but its scopes do not reach. GitLab sends no challenge header here. */
export function insufficientScope(scope: string): Refusal {
  const description = "The request requires higher privileges than provided by the access token.";
  return new Refusal({
    status: 403,
    json: { error: "insufficient_scope", error_description: description, scope },
  });
}

/** The same for a fine-grained token. */
export function insufficientGranularScope(description: string): Refusal {
  return new Refusal({
    status: 403,
    json: { error: "insufficient_granular_scope", error_description: description },
  });
}
