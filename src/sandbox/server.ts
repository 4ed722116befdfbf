import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createHash, randomBytes } from "node:crypto";
import { sleep } from "../kernel/clock.ts";
import { createApi } from "./api.ts";
import { ROUTES } from "./api/routes.ts";
import type { Box } from "./box.ts";
import { parseGitRequest, serveGit } from "./git/http.ts";
import { homePage } from "./page.ts";
import { badGateway, refuse, Refusal, type Reply } from "./reply.ts";

export type Log = (line: string) => void;

/** Answers every request: the layers of GitLab from the proxy inwards. */
export function createListener(box: Box, root: string, log: Log, signal: AbortSignal): RequestListener {
  const api = createApi(box, ROUTES);
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<Reply | null> => {
    const { faults } = box.state;
    if (faults.latencyMs > 0) await sleep(faults.latencyMs, signal);
    if (faults.badGateway) return badGateway();
    const { path, query } = targetOf(request, root);
    const git = path === null ? null : parseGitRequest(path, query);
    if (git) {
      await serveGit(box, git, request, response, signal);
      return null;
    }
    if (path?.startsWith("/api/")) return maintenance(box, request) ?? (await api(request, path, query));
    return path === "/" && request.method === "GET" ? homePage(box) : pageNotFound();
  };
  return (request, response) => {
    const started = performance.now();
    const requestId = newRequestId();
    response.on("error", () => {}); // the client went away
    const finish = async (): Promise<void> => {
      const reply = await answer(request, response).catch((error: unknown) => replyOf(error, log));
      if (reply === null || response.headersSent) response.end();
      else write(box, request, response, reply, requestId, started);
      log(`${request.method} ${safePath(request)} ${response.statusCode} ${requestId}`);
    };
    void finish();
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

function replyOf(error: unknown, log: Log): Reply {
  if (error instanceof Refusal) return error.reply;
  log(`error: ${error instanceof Error ? error.stack : String(error)}`);
  return refuse(500, "500 Internal Server Error").reply;
}

/** A query may hold a token: it is not logged. */
function safePath(request: IncomingMessage): string {
  return (request.url ?? "").split("?")[0] ?? "";
}

/** 26 characters of Crockford base32, like the ULIDs of GitLab. */
function newRequestId(): string {
  const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  return `01${Array.from(randomBytes(24), (byte) => alphabet.charAt(byte % 32)).join("")}`;
}

const READS = new Set(["GET", "HEAD", "OPTIONS"]);

/** Maintenance mode tells JSON clients the truth and sends everybody else to the front page. */
function maintenance(box: Box, request: IncomingMessage): Reply | null {
  if (!box.state.faults.maintenance || READS.has(request.method ?? "")) return null;
  const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim();
  if (type !== "application/json") return { status: 301, headers: { Location: `${box.url}/` } };
  const headers = { "Retry-After": "900" };
  return { status: 503, json: { message: box.state.settings.maintenanceMessage }, headers };
}

function pageNotFound(): Reply {
  const text =
    "<!DOCTYPE html>\n<html>\n<head><title>The page you're looking for could not be found (404)</title></head>\n<body><h1>404: Page not found</h1></body>\n</html>\n";
  return { status: 404, contentType: "text/html; charset=utf-8", text };
}

function write(
  box: Box,
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  requestId: string,
  started: number,
): void {
  const body = bodyOf(reply);
  const seconds = ((performance.now() - started) / 1000).toFixed(6);
  response.statusCode = reply.status;
  const fromRails = reply.contentType !== "text/html";
  if (fromRails) {
    response.setHeader("X-Request-Id", requestId);
    response.setHeader("X-Runtime", seconds);
    response.setHeader("X-Content-Type-Options", "nosniff");
    response.setHeader("X-Frame-Options", "SAMEORIGIN");
    if (box.version.has("correlationHeaders")) {
      response.setHeader("X-Gitlab-Meta", JSON.stringify({ correlation_id: requestId, version: "1" }));
    }
  }
  if (body.length > 0) response.setHeader("Content-Type", reply.contentType ?? "application/json");
  if (reply.json !== undefined) cacheHeaders(response, body);
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  if (reply.status !== 204) response.setHeader("Content-Length", body.length);
  response.end(request.method === "HEAD" || reply.status === 204 ? undefined : body);
}

function bodyOf(reply: Reply): Buffer {
  if (reply.text !== undefined) return Buffer.from(reply.text);
  return Buffer.from(reply.json === undefined ? "" : JSON.stringify(reply.json));
}

function cacheHeaders(response: ServerResponse, body: Buffer): void {
  response.setHeader("Cache-Control", "max-age=0, private, must-revalidate");
  response.setHeader("ETag", `W/"${createHash("md5").update(body).digest("hex")}"`);
  response.setHeader("Vary", "Origin");
}
