/** Suggestions for misspelled names. */

/** The known names that one might have meant, the likeliest first, three at most. */
export function nearest(name: string, known: readonly string[]): string[] {
  return known
    .map((other) => ({ other, edits: edits(name, other) }))
    .filter(({ other, edits }) => edits <= Math.max(1, Math.min(name.length, other.length) / 3))
    .sort((a, b) => a.edits - b.edits)
    .slice(0, 3)
    .map(({ other }) => other);
}

/** Levenshtein's distance. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
