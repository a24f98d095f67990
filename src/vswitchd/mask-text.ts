/**
 * What a megaflow's mask looks at. A mask does not say which protocol its flows
 * are of, and protocols share words of the key; so these are the names that
 * hold for all of them, `nw_src` for IPv4 and ARP, `tp_src` for TCP and UDP.
 */
import { FIELDS, type Field } from '../flow/fields.ts';
import { KEY_WORDS } from '../flow/key.ts';
import { exactMask, getField } from '../flow/match.ts';

/** @returns `in_port,eth_dst,nw_dst/24`; a part that is no prefix is given in hexadecimal */
export function maskText(mask: Int32Array): string {
  const looked = KEY_FIELDS.map((field) => ({ field, bits: getField(mask, field) }));
  return looked
    .filter(({ bits }) => bits !== 0n)
    .map(({ field, bits }) => nameOf(field) + partText(field, bits))
    .join(',');
}

/** One field for each bit of the key: registers live above it, and of fields that overlap the first is the widest. */
const KEY_FIELDS = FIELDS.filter(
  (field, n) => isInKey(field) && !overlapsOneOf(FIELDS.slice(0, n), field),
);

function isInKey({ parts }: Field): boolean {
  return parts.every(({ word }) => word < KEY_WORDS);
}

function overlapsOneOf(others: readonly Field[], { parts }: Field): boolean {
  return others.some((other) =>
    other.parts.some((a) =>
      parts.some(
        (b) => a.word === b.word && a.shift < b.shift + b.bits && b.shift < a.shift + a.bits,
      ),
    ),
  );
}

const SHARED_NAMES: Readonly<Record<string, string>> = {
  ip_src: 'nw_src',
  ip_dst: 'nw_dst',
  tcp_src: 'tp_src',
  tcp_dst: 'tp_dst',
};

const nameOf = ({ name }: Field): string => SHARED_NAMES[name] ?? name;

function partText(field: Field, bits: bigint): string {
  if (bits === exactMask(field)) return '';
  const digits = bits.toString(2).padStart(field.bits, '0');
  return /^1+0*$/.test(digits) ? `/${digits.indexOf('0')}` : `/0x${bits.toString(16)}`;
}
