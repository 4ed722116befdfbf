import type { Readable, Writable } from "node:stream";
import { stripVTControlCharacters, styleText } from "node:util";

type Input = Readable & { readonly isTTY?: boolean };
type Output = Writable & { readonly isTTY?: boolean };

/** Where a command reads and writes. Results go to `out`; progress, questions and complaints to `err`, so that results can be piped. */
export interface Terminal {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** One line, or several, to standard output. */
  out(text: string): void;
  err(text: string): void;
  paint(style: Style, text: string): string;
  /** Replaces the last line written by `live`; nothing where there is no terminal. An empty text takes the line away. */
  live(text: string): void;
}

export type Style = "red" | "green" | "yellow" | "dim" | "bold";

export function createTerminal(
  streams: Pick<Terminal, "stdin" | "stdout" | "stderr">,
  noColor: () => boolean,
): Terminal {
  const { stdout, stderr } = streams;
  const coloured = (): boolean => stdout.isTTY === true && !noColor();
  return {
    ...streams,
    out: (text) => void stdout.write(`${text}\n`),
    err: (text) => void stderr.write(`${text}\n`),
    paint: (style, text) => (coloured() ? styleText(style, text, { validateStream: false }) : text),
    live: (text) => {
      if (stderr.isTTY === true) stderr.write(`\r\u001B[K${text}`);
    },
  };
}

/** A build's or an app's own output: its colours stay, everything else that moves a terminal's cursor goes. */
export function onlyColours(text: string): string {
  const [head = "", ...rest] = text.replaceAll("\t", "    ").split("\u001B[");
  const coloured = rest.map((part) => {
    const colour = /^[\d;]*m/.exec(part)?.[0];
    return colour === undefined
      ? plain(`\u001B[${part}`)
      : `\u001B[${colour}${plain(part.slice(colour.length))}`;
  });
  return plain(head) + coloured.join("");
}

/**
 * What strangers wrote (commit titles, branch names, GitLab's words), without anything that moves a terminal's cursor or turns the order of what
 * is shown around.
 */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, " ");
}
