/** The order of strings by their UTF-8, as strcmp has it and OVSDB keeps sets in. */

/** Negative if a comes before b. As by UTF-16, but that characters of two units come last. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  let i = 0;
  while (i < a.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  return rank(a.charCodeAt(i)) - rank(b.charCodeAt(i));
}

/** Past the end (NaN) is before all; the units of surrogate pairs are behind all. */
function rank(unit: number): number {
  if (Number.isNaN(unit)) return -1;
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
