/**
 * Parts of fields as text: `NXM_NX_REG0[0..4]`, `reg0[3]`, `eth_dst[]`,
 * `ip_src`. Printed with the field's NXM or OXM name, as ovs-ofctl does.
 */
import { type Field, fieldByName } from '../flow/fields.ts';
import type { Subfield } from './action.ts';
import { fieldByNxmName, nxmBits, nxmName } from './nxm-names.ts';

/** @returns what is wrong, as the end of a sentence, if something is */
export function parseSubfield(text: string): Subfield | string {
  const found = /^([a-z0-9_]+)(?:\[(?:(\d+)(?:\.\.(\d+))?)?\])?$/i.exec(text);
  if (found === null) return 'is not a field: write FIELD or FIELD[START..END]';
  const field = fieldByNxmName(found[1]) ?? fieldByName(found[1]);
  if (field === undefined) return 'is not a field: see ovs-fields(7)';
  if (found[2] === undefined) return whole(field);
  const start = Number(found[2]);
  const end = found[3] === undefined ? start : Number(found[3]);
  if (start > end || end >= nxmBits(field)) {
    return `names bits that ${field.name} has not: it has ${nxmBits(field)}`;
  }
  return { field, start, bits: end - start + 1 };
}

const whole = (field: Field): Subfield => ({ field, start: 0, bits: nxmBits(field) });

export function formatSubfield({ field, start, bits }: Subfield): string {
  const name = nxmName(field);
  if (start === 0 && bits === nxmBits(field)) return `${name}[]`;
  return bits === 1 ? `${name}[${start}]` : `${name}[${start}..${start + bits - 1}]`;
}

/** The subfield's mask within its field. */
export const subfieldMask = ({ start, bits }: Subfield): bigint =>
  ((1n << BigInt(bits)) - 1n) << BigInt(start);
