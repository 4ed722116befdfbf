/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = NaN, high = NaN] = [sorted[sorted.length % 2 === 1 ? middle : middle - 1], sorted[middle]];
  return (low + high) / 2;
}

export interface Pair {
  readonly ours: number;
  readonly other: number;
}

/**
 * The median of the ratios of rounds in which both were measured one right after the other: what else the machine does meanwhile changes
 * from minute to minute, and then hits both.
 */
export function ratio(pairs: readonly Pair[]): number {
  return median(pairs.map(({ ours, other }) => ours / other));
}
