import type { IncomingMessage } from "node:http";
import type { Box } from "./box.ts";
import { identify, type Identity } from "./auth.ts";
import { noSuchRoute, refuseAsError, unauthorized, type Reply } from "./reply.ts";
import { parametersOf, readParameters } from "./request.ts";
import type { Call, Method, Route } from "./route.ts";
import { createRouter } from "./router.ts";

const METHODS: Readonly<Record<string, Method>> = {
  GET: "GET",
  HEAD: "GET",
  POST: "POST",
  PUT: "PUT",
  DELETE: "DELETE",
};

export type Api = (request: IncomingMessage, path: string, query: URLSearchParams) => Promise<Reply>;

/** Answers requests below `/api/`. Throws refusals. */
export function createApi(box: Box, routes: readonly Route[]): Api {
  const find = createRouter(routes.filter((route) => route.since === null || box.version.has(route.since)));
  return async (request, path, query) => {
    if (path.startsWith("/api/v3/") || path === "/api/v3") {
      throw refuseAsError(410, "API V3 is no longer supported. Use API V4 instead.");
    }
    const method = METHODS[request.method ?? ""];
    const match = method && find(method, path.replace(/^\/api\/v4/, ""));
    if (!match || !path.startsWith("/api/v4/")) throw noSuchRoute();
    const input = { ...parametersOf(query), ...(await readParameters(request)) };
    const identity = once(() => identityOf(box, request, input, match.route, method));
    const call: Call = {
      box,
      head: request.method === "HEAD",
      url: box.url + path,
      query,
      path: match.path,
      input,
      currentUser: () => identity()?.user ?? null,
      authenticate: () => signedIn(identity()).user,
      currentToken: () => signedIn(identity()).token,
    };
    const eventId = request.headers["x-gitlab-event-uuid"];
    const chained = typeof eventId === "string" ? eventId : undefined;
    return box.webhooks.within(chained, () => match.route.handle(call));
  };
}

function signedIn(identity: Identity | null): Identity {
  if (!identity) throw unauthorized();
  return identity;
}

function identityOf(
  box: Box,
  request: IncomingMessage,
  input: Readonly<Record<string, unknown>>,
  route: Route,
  method: Method,
): Identity | null {
  const parameter = input["private_token"];
  const header = request.headers["private-token"];
  return identify(
    box.state,
    box.version,
    box.url,
    {
      parameter: typeof parameter === "string" ? parameter : undefined,
      privateTokenHeader: Array.isArray(header) ? header[0] : header,
      authorizationHeader: request.headers.authorization,
    },
    { reads: method === "GET", scopes: route.scopes },
  );
}

function once<T>(work: () => T): () => T {
  let done: { readonly value: T } | null = null;
  return () => {
    done ??= { value: work() };
    return done.value;
  };
}
