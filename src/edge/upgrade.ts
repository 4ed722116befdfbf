import { ServerResponse, type ClientRequest, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Socket } from "node:net";
import type { Exchange } from "./exchange.ts";

/** Only websockets: any other protocol that is asked for is not named to the app, and the request is served as usual. */
export function wantsWebsocket(request: IncomingMessage): boolean {
  return request.method === "GET" && request.headers.upgrade?.toLowerCase() === "websocket";
}

/**
 * A response on the socket of an upgrade request, for the case that the app (or we) refuse it. It ends the connection. Null while an earlier,
 * pipelined request of the same connection waits for its answer.
 */
export function responseOnSocket(request: IncomingMessage, socket: Socket): ServerResponse | null {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  try {
    response.assignSocket(socket);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_HTTP_SOCKET_ASSIGNED") return null;
    throw error;
  }
  response.on("finish", () => {
    response.detachSocket(socket);
    socket.end();
  });
  return response;
}

/** When the app agrees, joins both connections byte by byte. `onJoined` gets the app's connection. */
export function joinOnUpgrade(
  exchange: Exchange,
  outgoing: ClientRequest,
  options: { readonly idleMs: number; readonly onJoined: (app: Socket) => void },
): void {
  outgoing.once("upgrade", (answer, app: Socket, appHead) => {
    const { upgrade, response } = exchange;
    exchange.settled = true;
    if (!upgrade || upgrade.socket.destroyed) {
      app.destroy();
      return;
    }
    const { socket: client, head } = upgrade;
    response.detachSocket(client);
    client.write(headOf(answer));
    if (appHead.length > 0) client.write(appHead);
    if (head.length > 0) app.write(head);
    for (const socket of [client, app]) prepare(socket, options.idleMs);
    splice(client, app);
    splice(app, client);
    options.onJoined(app);
  });
}

function prepare(socket: Socket, idleMs: number): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 60_000);
  socket.setTimeout(idleMs, () => socket.destroy());
}

function splice(from: Duplex, to: Duplex): void {
  from.pipe(to);
  // A broken side is not news: it closes, and so does the other.
  from.on("error", () => to.destroy());
  from.on("close", () => to.destroy());
}

/** The answer word for word: here hop-by-hop headers are the point. */
function headOf(answer: IncomingMessage): Buffer {
  const lines = [`HTTP/1.1 101 ${answer.statusMessage || "Switching Protocols"}`];
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) {
    lines.push(`${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}`);
  }
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}
