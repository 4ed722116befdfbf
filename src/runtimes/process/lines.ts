import { StringDecoder } from "node:string_decoder";

const PIECE = 64 * 1024;

export interface LineSplitter {
  push(chunk: Uint8Array): void;
  /** The rest without a line end, if there is one. */
  end(): void;
}

/**
 * Bytes of whatever kind as lines of text: invalid UTF-8 becomes U+FFFD, as does NUL, which PostgreSQL cannot store; lines over 64 KiB are cut.
 */
export function splitLines(emit: (line: string) => void): LineSplitter {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const send = (line: string): void => emit(line.replaceAll("\0", "\uFFFD"));
  const take = (text: string): void => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) sendPieces(line.endsWith("\r") ? line.slice(0, -1) : line);
    while (rest.length > PIECE) {
      send(rest.slice(0, PIECE));
      rest = rest.slice(PIECE);
    }
  };
  const sendPieces = (line: string): void => {
    for (let at = 0; at === 0 || at < line.length; at += PIECE) send(line.slice(at, at + PIECE));
  };
  return {
    push: (chunk) => take(decoder.write(chunk)),
    end: () => {
      take(decoder.end());
      if (rest !== "") send(rest);
      rest = "";
    },
  };
}
