/**
 * Fields that are sets of named bits: tcp_flags, ct_state, tun_flags. Written
 * `syn|ack` (exactly these), `+syn-ack` (these set, these clear, others either
 * way) or as a number.
 */

/** Names of the bits, from bit 0 on. */
export type FlagNames = readonly string[];

export const TCP_FLAG_NAMES: FlagNames = [
  'fin',
  'syn',
  'rst',
  'psh',
  'ack',
  'urg',
  'ece',
  'cwr',
  'ns',
  '[200]',
  '[400]',
  '[800]',
];
export const CT_STATE_NAMES: FlagNames = ['new', 'est', 'rel', 'rpl', 'inv', 'trk', 'snat', 'dnat'];
export const TUN_FLAG_NAMES: FlagNames = ['oam'];

/** @returns undefined if a name is unknown or said twice, or the syntax is neither form */
export function parseFlags(
  text: string,
  names: FlagNames,
): { value: number; mask: number } | undefined {
  const all = (1 << names.length) - 1;
  if (!/^[+-]/.test(text)) {
    const bits = bitsOf(text.split('|'), names);
    return bits === undefined ? undefined : { value: bits, mask: all };
  }
  const terms = text.match(/[+-][^+-]*/g) ?? [];
  const mask = bitsOf(
    terms.map((term) => term.slice(1)),
    names,
  );
  const set = terms.filter((term) => term.startsWith('+')).map((term) => term.slice(1));
  const value = bitsOf(set, names);
  return mask === undefined || value === undefined ? undefined : { value, mask };
}

/** `syn|ack`, or `0` for none. */
export const formatFlags = (value: number, names: FlagNames): string =>
  names.filter((_, bit) => value & (1 << bit)).join('|') || '0';

/** `+syn-ack` */
export const formatMaskedFlags = (value: number, mask: number, names: FlagNames): string =>
  names
    .map((name, bit) => (mask & (1 << bit) ? `${value & (1 << bit) ? '+' : '-'}${name}` : ''))
    .join('');

function bitsOf(terms: readonly string[], names: FlagNames): number | undefined {
  let bits = 0;
  for (const term of terms) {
    const bit = names.indexOf(term);
    if (bit < 0 || bits & (1 << bit)) return undefined;
    bits |= 1 << bit;
  }
  return bits;
}
