import type { IncomingMessage } from "node:http";

/** Of an answer GitLab keeps what fits in its log: 8 KiB of the body, 50 headers of 1 KiB. */
const KEPT_BODY = 8 * 1024;
const KEPT_HEADERS = 50;
const KEPT_HEADER = 1024;

export interface Answer {
  readonly status: number;
  /** Capitalised, as GitLab stores them. */
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Reads an answer to its end, keeping its beginning. Throws when it is larger than allowed or ends too early. */
export async function readAnswer(incoming: IncomingMessage, maxBytes: number): Promise<Answer> {
  const kept: Buffer[] = [];
  let size = 0;
  for await (const piece of incoming) {
    const bytes = Buffer.from(piece);
    if (size < KEPT_BODY) kept.push(bytes);
    size += bytes.length;
    if (size > maxBytes) {
      incoming.destroy();
      throw new Error("Response size limit exceeded");
    }
  }
  const body = Buffer.concat(kept).subarray(0, KEPT_BODY).toString("utf8");
  return { status: incoming.statusCode ?? 0, headers: headersOf(incoming), body };
}

function headersOf(incoming: IncomingMessage): Record<string, string> {
  const pairs = Object.entries(incoming.headers).slice(0, KEPT_HEADERS);
  return Object.fromEntries(
    pairs.map(([name, value]) => [
      name.replaceAll(/(^|-)([a-z])/g, (_all, dash: string, letter: string) => dash + letter.toUpperCase()),
      (Array.isArray(value) ? value.join(", ") : (value ?? "")).slice(0, KEPT_HEADER),
    ]),
  );
}
