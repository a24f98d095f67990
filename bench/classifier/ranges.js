/**
 * Port ranges as masked values: the fewest prefixes that together cover exactly
 * the range. 1024 to 65535, say, is 6 prefixes.
 */

/**
 * @param {number} low 0 to 65535
 * @param {number} high low to 65535
 * @returns {{ value: number, mask: number }[]} 16-bit values and masks
 */
export function rangeToMasks(low, high) {
  const masks = [];
  for (let at = low; at <= high; ) {
    let size = at === 0 ? 0x10000 : at & -at;
    while (at + size - 1 > high) size /= 2;
    masks.push({ value: at, mask: ~(size - 1) & 0xffff });
    at += size;
  }
  return masks;
}
