import { createServer, type Socket } from "node:net";
import type { Box } from "../box.ts";
import { encodeFrame, type Channel } from "./frames.ts";
import { readOrder } from "./order.ts";
import { serveOrder } from "./serve-order.ts";

/** Where the program that `sshd` starts brings what its client wants. Only this user reaches the socket: it lies in a folder of ours. */
export function startDesk(box: Box, socketPath: string, signal: AbortSignal): AsyncDisposable {
  const sessions = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sessions.add(socket);
    socket.once("close", () => sessions.delete(socket));
    socket.on("error", () => {}); // the client went away
    void serve(box, socket, signal);
  });
  server.listen(socketPath);
  return {
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sessions) socket.destroy();
      }),
  };
}

async function serve(box: Box, socket: Socket, signal: AbortSignal): Promise<void> {
  const gone = new AbortController();
  socket.once("close", () => gone.abort());
  const send = (channel: Channel, bytes: Uint8Array): Promise<void> =>
    write(socket, encodeFrame(channel, bytes));
  try {
    const order = await readOrder(socket);
    const session = { socket, send, signal: AbortSignal.any([signal, gone.signal]) };
    const code = await serveOrder(box, order, session);
    await send("exit", Uint8Array.of(code));
    socket.end();
  } catch {
    socket.destroy(); // to the client the connection breaks, as when GitLab's own program fails
  }
}

/** Waits while the other side is slower than we are. */
function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
