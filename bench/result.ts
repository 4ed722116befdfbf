import { median, ratio, type Pair } from "./statistics.ts";

/** One line of the table. */
export interface Result {
  readonly name: string;
  readonly measured: number;
  readonly unit: "" | "MB" | "s";
  readonly target: { readonly most: number } | { readonly least: number };
  readonly ok: boolean;
  /** What was measured on either side, for people. */
  readonly detail: string;
}

export interface Bench {
  /** The word that chooses it. */
  readonly name: string;
  /** What it opens it leaves to `undo`, so that an interrupted bench leaves no process and no folder behind either. */
  run(tell: (line: string) => void, undo: AsyncDisposableStack): Promise<readonly Result[]>;
}

export function judge(result: Omit<Result, "ok">): Result {
  const { measured, target } = result;
  const ok = "most" in target ? measured <= target.most : measured >= target.least;
  return { ...result, ok };
}

/** Ours against the other, one right after the other in each round. */
export function compare(
  name: string,
  pairs: readonly Pair[],
  target: Result["target"],
  words: { readonly other: string; readonly show: (value: number) => string },
): Result {
  const ours = words.show(median(pairs.map((pair) => pair.ours)));
  const other = words.show(median(pairs.map((pair) => pair.other)));
  return judge({
    name,
    measured: ratio(pairs),
    unit: "",
    target,
    detail: `${ours} against ${other} ${words.other}, ${pairs.length} rounds`,
  });
}

export function milliseconds(value: number): string {
  return `${Math.round(value)} ms`;
}

export function perSecond(value: number): string {
  return `${Math.round(value)}/s`;
}

export function showTable(results: readonly Result[]): string {
  const rows = results.map(({ name, measured, unit, target, ok, detail }) => [
    name,
    `${measured.toFixed(unit === "MB" ? 0 : 2)}${unit === "" ? "" : ` ${unit}`}`,
    "most" in target ? `≤ ${target.most}` : `≥ ${target.least}`,
    ok ? "ok" : "missed",
    detail,
  ]);
  const lines = [["bench", "measured", "target", "", "medians"], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
