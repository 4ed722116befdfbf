import type { Readable } from "node:stream";

export interface CgiAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: AsyncIterable<Uint8Array>;
}

const HEADER_LIMIT = 64 * 1024;

/** Reads the header of a CGI program's output; the body follows as it comes. A program that says nothing is a 500. */
export async function readCgi(output: Readable): Promise<CgiAnswer> {
  const pieces: AsyncIterator<Buffer> = output[Symbol.asyncIterator]();
  let seen = Buffer.alloc(0);
  for (;;) {
    const end = seen.indexOf("\r\n\r\n");
    if (end !== -1) return answer(seen.subarray(0, end).toString("latin1"), seen.subarray(end + 4), pieces);
    const next = await pieces.next();
    if (next.done || seen.length > HEADER_LIMIT)
      return { status: 500, headers: {}, body: rest(seen.subarray(0, 0), pieces) };
    seen = Buffer.concat([seen, next.value]);
  }
}

function answer(header: string, first: Buffer, pieces: AsyncIterator<Buffer>): CgiAnswer {
  const headers: Record<string, string> = {};
  let status = 200;
  for (const line of header.split("\r\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
    else headers[name] = value;
  }
  return { status, headers, body: rest(first, pieces) };
}

async function* rest(first: Buffer, pieces: AsyncIterator<Buffer>): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  for (;;) {
    const next = await pieces.next();
    if (next.done) return;
    yield next.value;
  }
}
