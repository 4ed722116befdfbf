/** The name among `known` that `word` was most likely meant to be, or null when none is close (an edit for every third letter). */
export function findNearest(word: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Math.ceil(word.length / 3);
  for (const name of known) {
    const far = distance(word.toLowerCase(), name.toLowerCase());
    if (far < bestDistance) [best, bestDistance] = [name, far];
  }
  return best;
}

/** Levenshtein: insertions, deletions and replacements of one letter. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of from.split("").entries()) {
    const next = [i + 1];
    for (const [j, other] of to.split("").entries()) {
      const replace = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replace, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
