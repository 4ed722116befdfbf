import type { IncomingMessage } from "node:http";
import type { Box } from "./box.ts";
import { identify, type Identity } from "./auth.ts";
import { corsHeaders, isPreflight } from "./cors.ts";
import { credentialsOf } from "./credentials.ts";
import { refuseWrite } from "./front/read-only.ts";
import { throttle } from "./rate-limits.ts";

import { noSuchRoute, Refusal, refuseAsError, unauthorized, withHeaders, type Reply } from "./reply.ts";
import { parametersOf, readParameters } from "./request.ts";
import type { Call, Method, Route } from "./route.ts";
import { createRouter, type Match } from "./router.ts";

const METHODS: Readonly<Record<string, Method>> = {
  GET: "GET",
  HEAD: "GET",
  POST: "POST",
  PUT: "PUT",
  PATCH: "PATCH",
  DELETE: "DELETE",
};

export type Api = (request: IncomingMessage, path: string, query: URLSearchParams) => Promise<Reply>;

/** Answers requests below `/api/`: Rack::Attack, then maintenance, then Rails (§1.6). */
export function createApi(box: Box, routes: readonly Route[]): Api {
  const find = createRouter(routes.filter((route) => exists(box, route)));
  return async (request, path, query) => {
    const cors = corsHeaders(request);
    if (isPreflight(request)) return { status: 200, headers: cors };
    const { refused, headers } = throttle(box, request, query, addressOf(request));
    const reply =
      refused ??
      refuseWrite(box, request) ??
      (await enter(box, find, request, path, query).catch((error: unknown) => {
        if (error instanceof Refusal) return error.reply;
        throw error;
      }));
    return withHeaders(reply, { ...headers, ...cors });
  };
}

function exists({ version }: Box, { since, until }: Route): boolean {
  return (since === null || version.has(since)) && (until === null || !version.has(until));
}

async function enter(
  box: Box,
  find: (method: Method, path: string) => Match | null,
  request: IncomingMessage,
  path: string,
  query: URLSearchParams,
): Promise<Reply> {
  if (/^\/api\/v3(\/|$)/.test(path) && box.version.has("apiV3Gone")) {
    throw refuseAsError(410, "API V3 is no longer supported. Use API V4 instead.");
  }
  const method = METHODS[request.method ?? ""];
  const match = method && find(method, path.replace(/^\/api\/v4/, ""));
  if (!match || !path.startsWith("/api/v4/")) throw noSuchRoute();
  checkAccept(request.headers.accept);
  refuseNullBytes(match.path, query);
  const input = { ...parametersOf(query), ...(await readParameters(request)) };
  const identity = once(() => identityOf(box, request, input, match));
  const call: Call = {
    box,
    method,
    head: request.method === "HEAD",
    url: box.url + path,
    query,
    path: match.path,
    input,
    ip: addressOf(request),
    header: (name) => headerOf(request, name),
    currentUser: () => identity()?.user ?? null,
    authenticate: () => signedIn(identity()).user,
    currentToken: () => signedIn(identity()).token,
  };
  // A hook's receiver that calls back carries the event's id: this is how GitLab notices loops.
  const chained = headerOf(request, "x-gitlab-event-uuid") ?? undefined;
  return box.webhooks.within(chained, () => match.route.handle(call));
}

/** GitLab's `HandleMalformedStrings`, which looks at the address, not into JSON. */
function refuseNullBytes(path: Match["path"], query: URLSearchParams): void {
  if (![...Object.values(path), ...[...query].flat()].some((part) => part.includes("\0"))) return;
  throw new Refusal({ status: 400, contentType: "text/plain", text: "Bad Request" });
}

function signedIn(identity: Identity | null): Identity {
  if (!identity) throw unauthorized();
  return identity;
}

function identityOf(
  box: Box,
  request: IncomingMessage,
  input: Readonly<Record<string, unknown>>,
  { route, path }: Match,
): Identity | null {
  const head = request.method === "HEAD" && !box.version.has("headCountsAsReading");
  return identify(box, {
    credentials: credentialsOf(request, input),
    demand: { reads: route.method === "GET" && !head, scopes: route.scopes },
    route,
    given: { ...input, ...path },
    ip: addressOf(request),
  });
}

/** Grape answers JSON, text and bytes; a client that takes none of them gets 406. */
function checkAccept(accept: string | undefined): void {
  if (accept === undefined || accept.trim() === "") return;
  const types = accept.split(",").map((part) => part.split(";")[0]?.trim().toLowerCase() ?? "");
  const served = /^(\*|application|text)\/\*$|^application\/(json|octet-stream|.*\+json)$|^text\/plain$/;
  if (!types.some((type) => served.test(type))) {
    throw refuseAsError(406, `The requested format '${types[0] ?? ""}' is not supported.`);
  }
}

function headerOf(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name.toLowerCase()];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

/** An IPv4 address that came over IPv6 is told as GitLab tells it. */
function addressOf(request: IncomingMessage): string {
  return (request.socket.remoteAddress ?? "127.0.0.1").replace(/^::ffff:/, "");
}

function once<T>(work: () => T): () => T {
  let done: { readonly value: T } | null = null;
  return () => {
    done ??= { value: work() };
    return done.value;
  };
}
