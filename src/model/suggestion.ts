/** Suggests the correct spelling of a misspelled name. */

/** The known name that is most similar to `given`, if it is similar enough to be a typing error; null otherwise. */
export function suggest(given: string, known: readonly string[]): string | null {
  const distanceMax = Math.max(1, Math.floor(given.length / 3));
  let best: string | null = null;
  let bestDistance = distanceMax + 1;
  for (const name of known) {
    // The distance is at least the difference of the lengths. This keeps very long names cheap.
    if (Math.abs(name.length - given.length) >= bestDistance) continue;
    const distance = editDistance(given.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** The Levenshtein distance: insertions, deletions and substitutions of one character. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const exchange = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min((previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, exchange));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}
