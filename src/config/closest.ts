/** The word somebody probably meant. */

const MAX_SLIPS = 2;

/** @returns the candidate nearest to the word, if that is near enough to suggest it */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, slips: slipsBetween(word, candidate) }))
    .filter(({ candidate, slips }) => slips <= Math.min(MAX_SLIPS, candidate.length / 2))
    .sort((a, b) => a.slips - b.slips);
  return ranked[0]?.candidate;
}

/**
 * Letters changed, left out, added, or swapped with their neighbour: the
 * distance of Damerau and Levenshtein, row by row. Words that differ much in
 * length are not measured, so a word may be of any length.
 */
function slipsBetween(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MAX_SLIPS) return Number.POSITIVE_INFINITY;
  const rows = [Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= a.length; i++) {
    const above = rows[i - 1];
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? rows[i - 2][j - 2] + 1 : changed;
      row.push(Math.min(changed, swapped, above[j] + 1, row[j - 1] + 1));
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}
