/**
 * All cases when FAIRLEAD_FULL is set, else `count` of them, drawn by a seed that is printed; FAIRLEAD_SEED draws the same again. Case 4 of a
 * matrix that takes minutes is thus met by some run soon, and `npm test` stays short.
 */
export function sample<T>(title: string, cases: readonly T[], count: number): readonly T[] {
  if (process.env["FAIRLEAD_FULL"]) return cases;
  const seed = Number(process.env["FAIRLEAD_SEED"] ?? Date.now() % 1_000_000);
  const drawn = shuffle(cases, seed).slice(0, count);
  console.log(
    `${title}: ${drawn.map(String).join(", ")} of ${cases.length} cases (FAIRLEAD_SEED=${seed}; FAIRLEAD_FULL=1 runs all)`,
  );
  return drawn;
}

/** Fisher and Yates, with a linear congruential generator (Numerical Recipes): only the same seed must give the same order. */
function shuffle<T>(items: readonly T[], seed: number): T[] {
  const result = [...items];
  let state = seed >>> 0;
  for (let last = result.length - 1; last > 0; last--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (last + 1));
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}
