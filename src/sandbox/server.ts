import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import { sleep } from "../kernel/clock.ts";
import { createApi } from "./api.ts";
import { ROUTES } from "./api/routes.ts";
import type { Box } from "./box.ts";
import type { Control } from "./control/control.ts";
import { countTokenUse } from "./control/token-ends.ts";
import { latencyOf, passFront } from "./front/front.ts";
import { parseGitRequest, serveGit } from "./git/http.ts";
import { refuse, Refusal, type Reply } from "./reply.ts";
import { newRequestId, sendReply, WHOLE, type Carriage } from "./wire.ts";

export type Log = (line: string) => void;

/** What a request comes to; null: it has been answered, or never is. */
interface Outcome {
  readonly reply: Reply;
  readonly carriage: Carriage;
}

export interface ListenerOptions {
  /** The relative URL root, "" for none. */
  readonly root: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly control: Control;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => Promise<Outcome | null>;

/** Answers every request, with its id and the time on it. */
export function createListener(box: Box, options: ListenerOptions): RequestListener {
  const { log } = options;
  const answer = createAnswer(box, options);
  return (request, response) => {
    const exchange = { request, response, requestId: newRequestId(), started: performance.now() };
    response.on("error", () => {}); // the client went away
    response.setHeader("Date", new Date(box.state.clock.now()).toUTCString());
    const send = async (outcome: Outcome | null): Promise<void> => {
      if (outcome === null || response.headersSent) response.end();
      else await sendReply(box, exchange, outcome.reply, outcome.carriage);
      log(`${request.method} ${safePath(request)} ${response.statusCode} ${exchange.requestId}`);
    };
    const sendFailure = (error: unknown): Promise<void> =>
      send({ reply: replyOf(error, log), carriage: WHOLE });
    // What cannot be sent, as a header that is none, fails this request and not the sandbox.
    answer(request, response)
      .then(send)
      .catch(sendFailure)
      .catch(() => response.destroy());
  };
}

/** The layers from the outside inwards: what steers the sandbox, what stands in front of GitLab, the proxy, GitLab. */
function createAnswer(box: Box, { root, signal, control }: ListenerOptions): Answer {
  const gitLab = createGitLab(box, signal, control);
  const { faults } = box.state;
  return async (request, response) => {
    const { path, query } = targetOf(request, root);
    const controlled = path === null ? null : await control.handle(request, path);
    if (controlled) return { reply: controlled, carriage: WHOLE };
    const seen = path ?? safePath(request);
    const latency = latencyOf(box, seen);
    if (latency > 0) await sleep(latency, signal);
    const front = passFront(box, request, seen);
    if (front.kind === "answer") return { reply: front.reply, carriage: WHOLE };
    if (front.kind !== "pass") return breakOff(front.kind, request, response, signal);
    for (const name of faults.dropsHeaders) delete request.headers[name];
    countTokenUse(box.state, request, query);
    const inside = faults.decodesSlashes ? (path?.replaceAll(/%2f/gi, "/") ?? null) : path;
    const reply = await gitLab(request, response, inside, query);
    return reply && { reply, carriage: front.carriage };
  };
}

type GitLab = (
  request: IncomingMessage,
  response: ServerResponse,
  path: string | null,
  query: URLSearchParams,
) => Promise<Reply | null>;

/** GitLab itself: git, the API, and of its pages those that clients come across. null: git has answered. */
function createGitLab(box: Box, signal: AbortSignal, control: Control): GitLab {
  const api = createApi(box, ROUTES);
  return async (request, response, path, query) => {
    const git = path === null ? null : parseGitRequest(path, query);
    if (git) return serveGit(box, git, request, response, signal);
    if (path?.startsWith("/api/")) return api(request, path, query);
    return path === "/" && request.method === "GET" ? control.home(request) : pageNotFound(path);
  };
}

/** Path below the relative root, still encoded; null when it is outside. Not parsed as a URL, which would tidy it up. */
function targetOf(request: IncomingMessage, root: string): { path: string | null; query: URLSearchParams } {
  const target = request.url ?? "/";
  const mark = target.indexOf("?");
  const full = mark === -1 ? target : target.slice(0, mark);
  const query = new URLSearchParams(mark === -1 ? "" : target.slice(mark + 1));
  const inside = full === root || full.startsWith(`${root}/`);
  return { path: inside ? full.slice(root.length) || "/" : null, query };
}

async function breakOff(
  kind: "reset" | "hang",
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<null> {
  if (kind === "reset") {
    // TLS has no reset of its own: there the connection just ends in the middle
    if (request.socket instanceof TLSSocket) request.socket.destroy();
    else request.socket.resetAndDestroy();
    return null;
  }
  await new Promise<void>((resolve) => {
    response.once("close", resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  return null;
}

function replyOf(error: unknown, log: Log): Reply {
  if (error instanceof Refusal) return error.reply;
  log(`error: ${error instanceof Error ? error.stack : String(error)}`);
  return refuse(500, "500 Internal Server Error").reply;
}

/** A query may hold a token: it is not logged. */
function safePath(request: IncomingMessage): string {
  return (request.url ?? "").split("?")[0] ?? "";
}

/** `/users/sign_in` is a page of GitLab that is no API answer; what is outside the relative root belongs to another program. */
function pageNotFound(path: string | null): Reply {
  if (path === "/users/sign_in") {
    const text =
      "<!DOCTYPE html>\n<html>\n<head><title>Sign in · GitLab</title></head>\n<body><h1>Sign in</h1></body>\n</html>\n";
    return { status: 200, contentType: "text/html; charset=utf-8", text };
  }
  const text =
    "<!DOCTYPE html>\n<html>\n<head><title>The page you're looking for could not be found (404)</title></head>\n<body><h1>404: Page not found</h1></body>\n</html>\n";
  return {
    status: 404,
    contentType: "text/html; charset=utf-8",
    text,
    ...(path === null && { fromProxy: true }),
  };
}
