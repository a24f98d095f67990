/**
 * From repeats to figures. Repeat number i of each rival ran close to repeat i
 * of the others, so rivals are compared within a repeat first, and the ratios'
 * median is what counts: drift of the machine cancels out.
 */

/**
 * @typedef {object} Summary
 * @property {number[]} values
 * @property {number} median
 * @property {number} q1
 * @property {number} q3
 */

/**
 * @param {(number | undefined)[]} samples
 * @returns {Summary | undefined} undefined without a single number
 */
export function summarize(samples) {
  const values = samples.filter((v) => v !== undefined);
  if (values.length === 0) return undefined;
  return {
    values,
    median: quantile(values, 0.5),
    q1: quantile(values, 0.25),
    q3: quantile(values, 0.75),
  };
}

/**
 * Linear between the two nearest values.
 * @param {number[]} values at least one
 * @param {number} share 0 to 1
 */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const low = Math.floor(position);
  const high = Math.ceil(position);
  return sorted[low] + (sorted[high] - sorted[low]) * (position - low);
}

/**
 * @param {(number | undefined)[]} samples by repeat
 * @param {(number | undefined)[]} base by repeat
 * @returns {Summary | undefined} of samples[i] / base[i]
 */
export function ratios(samples, base) {
  const pairs = samples.map((v, i) => {
    const b = base[i];
    return v === undefined || b === undefined || b === 0 ? undefined : v / b;
  });
  return summarize(pairs);
}
