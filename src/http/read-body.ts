import type { IncomingMessage } from "node:http";
import { Fault } from "../faults/fault.ts";

/** The body as it came. Throws `TOO_LARGE` as soon as it is known to be over `limit` bytes, whether it says so or is counted. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  if (Number(request.headers["content-length"] ?? 0) > limit) throw Fault.of("TOO_LARGE", "");
  const parts: Buffer[] = [];
  let size = 0;
  for await (const bytes of bytesOf(request)) {
    size += bytes.length;
    if (size > limit) throw Fault.of("TOO_LARGE", "");
    parts.push(bytes);
  }
  return Buffer.concat(parts, size);
}

/** Leaving the loop early must not destroy the request, or its answer goes with it. */
async function* bytesOf(request: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    for await (const part of request.iterator({ destroyOnReturn: false })) yield Buffer.from(part);
  } catch (error) {
    throw Fault.of("BAD_REQUEST", "", { message: "The body ended before its end.", cause: error });
  }
}
