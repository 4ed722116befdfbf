import { plain, type Terminal } from "./terminal.ts";

const MAX_CELL = 60;

/** Columns as wide as their widest cell, no lines, heads in dim. */
export function printTable(
  terminal: Terminal,
  heads: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const cells = rows.map((row) => row.map((cell) => shorten(plain(cell))));
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  terminal.out(terminal.paint("dim", line(heads)));
  for (const row of cells) terminal.out(line(row));
}

export function shorten(text: string, length = MAX_CELL): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** `12 s ago`, `3 min ago`, then hours, days. */
export function ago(then: Date, now = new Date()): string {
  const seconds = Math.max(0, Math.round((now.getTime() - then.getTime()) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} days ago`;
}

/** `0.2 s`, `3.1 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 100_000) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

export function shortCommit(commit: string): string {
  return commit.slice(0, 8);
}
