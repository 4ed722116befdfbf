import type { Socket } from "node:net";
import { z } from "zod";

const LIMIT = 64 * 1024;

const orderSchema = z.object({
  key: z.string().regex(/^key-\d{1,15}$/),
  protocol: z.string(),
  command: z.string(),
});

/** Who came in, and what `ssh` was told to run. */
export interface Order {
  readonly keyId: number;
  readonly protocol: string;
  readonly command: string;
}

/** Reads the first line of a session; what follows stays in the socket. Throws for everything that is no order. */
export function readOrder(socket: Socket): Promise<Order> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const take = (bytes: Buffer): void => {
      seen = Buffer.concat([seen, bytes]);
      const end = seen.indexOf("\n");
      if (end === -1 && seen.length < LIMIT) return;
      socket.off("data", take).pause();
      if (seen.length > end + 1) socket.unshift(seen.subarray(end + 1));
      try {
        resolve(parseOrder(seen.subarray(0, Math.max(0, end)).toString("utf8")));
      } catch (error) {
        reject(error instanceof Error ? error : new Error("no order"));
      }
    };
    socket.on("data", take);
    socket.once("close", () => reject(new Error("the session ended before its first line")));
  });
}

function parseOrder(line: string): Order {
  const { key, protocol, command } = orderSchema.parse(JSON.parse(line));
  return { keyId: Number(key.slice("key-".length)), protocol, command };
}
