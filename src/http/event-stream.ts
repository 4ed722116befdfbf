import { once } from "node:events";
import { PassThrough } from "node:stream";
import type { FastifyReply } from "fastify";

const KEEP_ALIVE_MS = 15_000;

export interface EventStreamOptions {
  readonly lines: AsyncIterable<object & { readonly seq: number }>;
  /** Aborts when the client is gone or the server stops: the stream then breaks off without `end`. */
  readonly signal: AbortSignal;
  /** What is told about an error that comes after the first line. */
  readonly describe: (error: unknown) => object;
}

/**
 * Answers with server-sent events: each line as `line` with its number as id, at last `end`, or `fault`. Lines are pulled only as
 * fast as the client reads.
 */
export function sendEvents(reply: FastifyReply, options: EventStreamOptions): FastifyReply {
  const out = new PassThrough();
  void pump(out, options);
  return reply
    .header("content-type", "text/event-stream; charset=utf-8")
    .header("cache-control", "no-store")
    .header("x-accel-buffering", "no") // nginx would hold lines back until 4 KB are full
    .send(out);
}

async function pump(out: PassThrough, options: EventStreamOptions): Promise<void> {
  const { signal } = options;
  const stop = (): void => void out.end();
  signal.addEventListener("abort", stop, { once: true });
  const keepAlive = setInterval(() => out.write(": waiting\n\n"), KEEP_ALIVE_MS);
  out.on("error", () => {}); // the client went: the signal has said so
  try {
    out.write(": open\n\n"); // sends the head now, not with the first line
    for await (const line of options.lines) {
      if (signal.aborted) return;
      if (!out.write(`id: ${line.seq}\n${event("line", line)}`)) await once(out, "drain", { signal });
    }
    if (!signal.aborted) out.write(event("end", {}));
  } catch (error) {
    if (!signal.aborted) out.write(event("fault", options.describe(error)));
  } finally {
    clearInterval(keepAlive);
    signal.removeEventListener("abort", stop);
    out.end();
  }
}

/** JSON holds no line end, so one `data:` is always enough. */
function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
