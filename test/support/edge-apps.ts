import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, request, type Agent, type IncomingMessage, type RequestListener } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";

interface Address {
  readonly host: string;
  readonly port: number;
}

export interface TestApp extends AsyncDisposable {
  readonly target: Address;
  /** `METHOD /path` of each request in the order of arrival. */
  readonly seen: string[];
  readonly connections: Set<Socket>;
  /** As a replica that is told to end: no new connection, requests under way end, idle connections are closed. */
  stop(): Promise<void>;
}

/** A real server on a free port. Without `listener` it answers with its label; `websocket` makes it echo. */
export async function startApp(label: string, listener?: RequestListener): Promise<TestApp> {
  const seen: string[] = [];
  const connections = new Set<Socket>();
  const server = createServer((incoming, response) => {
    seen.push(`${incoming.method} ${incoming.url}`);
    if (listener) listener(incoming, response);
    else response.setHeader("content-length", label.length).end(label);
  });
  server.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  server.on("upgrade", (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    seen.push(`${incoming.method} ${incoming.url}`);
    echo(incoming, socket, head);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    await closed;
  };
  return {
    target: { host: "127.0.0.1", port },
    seen,
    connections,
    stop,
    [Symbol.asyncDispose]: async () => {
      for (const socket of connections) socket.destroy();
      await stop();
    },
  };
}

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Not a whole websocket server: it agrees, says "hi", and sends each byte back, frames or not. */
function echo(incoming: IncomingMessage, socket: Socket, head: Buffer): void {
  socket.on("error", () => socket.destroy());
  if (incoming.url === "/refuse") {
    socket.end("HTTP/1.1 403 Forbidden\r\nX-App: yes\r\nContent-Length: 2\r\n\r\nno");
    return;
  }
  const key = incoming.headers["sec-websocket-key"] ?? "";
  const accept = createHash("sha1").update(`${key}${GUID}`).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\nhi`,
  );
  if (head.length > 0) socket.write(head);
  socket.pipe(socket);
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly rawHeaders: readonly string[];
  readonly trailers: IncomingMessage["trailers"];
  readonly body: string;
}

export interface AskOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
  readonly agent?: Agent;
}

/** One request by host name. Rejects when no whole answer comes. */
export async function ask(address: Address, host: string, options: AskOptions = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const outgoing = request({
    host: address.host,
    port: address.port,
    method: options.method ?? "GET",
    path: options.path ?? "/",
    headers: { host, ...options.headers },
    agent: options.agent ?? false,
  });
  outgoing.on("response", resolve).on("error", reject).end(options.body);
  const answer = await promise;
  let body = "";
  for await (const piece of answer.setEncoding("latin1")) body += String(piece);
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    rawHeaders: answer.rawHeaders,
    trailers: answer.trailers,
    body,
  };
}

/** A connection that says what a test wants, word for word, and remembers everything it hears. */
export interface RawConnection extends AsyncDisposable {
  readonly socket: Socket;
  heard(): string;
  /** Resolves with everything heard once it holds `text`, or rejects when the connection ends without it. */
  until(text: string): Promise<string>;
  /** Resolves with everything heard when the other side has closed. */
  ended(): Promise<string>;
}

export async function openRaw(address: Address, text = ""): Promise<RawConnection> {
  const socket = connect(address.port, address.host);
  let heard = "";
  socket.setEncoding("latin1");
  socket.on("error", () => socket.destroy());
  socket.on("data", (piece: string) => {
    heard += piece;
    socket.emit("heard");
  });
  const closed = once(socket, "close");
  await once(socket, "connect");
  if (text !== "") socket.write(text, "latin1");
  return {
    socket,
    heard: () => heard,
    until: async (wanted) => {
      while (!heard.includes(wanted)) {
        if (socket.closed) throw new Error(`closed; heard: ${heard}`);
        await Promise.race([once(socket, "heard"), closed]);
      }
      return heard;
    },
    ended: async () => {
      await closed;
      return heard;
    },
    [Symbol.asyncDispose]: async () => {
      socket.destroy();
    },
  };
}

export function websocketRequest(host: string, path = "/"): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
}
