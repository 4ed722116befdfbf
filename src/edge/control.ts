import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { toError } from "../kernel/clock.ts";
import { InvalidInput } from "./wire.ts";

/** Raised when an edge of this code and one that runs already no longer understand each other, or should not be kept. */
export const EDGE_PROTOCOL = 1;

/** What the edge says of itself. */
export interface EdgeStatus {
  readonly protocol: number;
  readonly pid: number;
  readonly listen: { readonly host: string; readonly port: number };
  readonly trustForwarded: boolean;
  readonly address: { readonly host: string; readonly port: number };
  /** Where a broken file of routes was put aside at the start. */
  readonly putAside: string | null;
}

/** By `METHOD /path`. What it returns is the answer; `InvalidInput` becomes 400, anything else 500. */
export type ControlCalls = Readonly<Record<string, (body: unknown, signal: AbortSignal) => unknown>>;

/** 10,000 routes are 3 MB. */
const MOST_BYTES = 64 * 1024 * 1024;

export interface Control {
  readonly server: Server;
  /** Takes no more calls and lets the running ones end: waiting ones get their answer now. */
  close(): void;
}

/** The control plane's way in: JSON over HTTP on a socket that only its owner can open. */
export function createControl(calls: ControlCalls): Control {
  const closing = new AbortController();
  const watchers = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    if (request.method === "GET" && request.url === "/watch") {
      // Stays open as long as this edge serves: its supervisor hears of the end in the moment it happens.
      watchers.add(response);
      response.on("close", () => watchers.delete(response));
      response.writeHead(200).flushHeaders();
      return;
    }
    void answer(calls, request, response, AbortSignal.any([gone.signal, closing.signal]));
  });
  return {
    server,
    close: () => {
      server.close();
      closing.abort();
      for (const watcher of watchers) watcher.end();
    },
  };
}

async function answer(
  calls: ControlCalls,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  try {
    const name = `${request.method} ${request.url}`;
    const call = Object.hasOwn(calls, name) ? calls[name] : undefined;
    if (!call) respond(response, 404, { error: "no such call" });
    else respond(response, 200, (await call(await readBody(request), signal)) ?? {});
  } catch (thrown) {
    respond(response, thrown instanceof InvalidInput ? 400 : 500, { error: toError(thrown).message });
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request) {
    if (!Buffer.isBuffer(piece)) throw new InvalidInput("not bytes");
    size += piece.length;
    if (size > MOST_BYTES) throw new InvalidInput("too large");
    pieces.push(piece);
  }
  if (size === 0) return null;
  try {
    return JSON.parse(Buffer.concat(pieces).toString("utf8"));
  } catch {
    throw new InvalidInput("not JSON");
  }
}

function respond(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
