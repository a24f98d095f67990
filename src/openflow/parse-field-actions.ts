/**
 * The actions that write fields, from text: `set_field:VALUE[/MASK]->FIELD`,
 * `load:VALUE->FIELD[START..END]`, `move:FIELD->FIELD` and OpenFlow 1.0's
 * `mod_*`.
 */
import { parseFieldValue } from '../flow/field-text.ts';
import { type Field, fieldByName } from '../flow/fields.ts';
import { exactMask, newMatch, setField } from '../flow/match.ts';
import type { PortNames } from '../flow/ports.ts';
import type { Action, SetField, Subfield, WordWrite } from './action.ts';
import { badArgument } from './flow-error.ts';
import type { ActionText } from './split-actions.ts';
import { parseSubfield, subfieldMask } from './subfield.ts';

export function parseSetField(action: ActionText, ports: PortNames | undefined): Action {
  const [valueText, name] = splitArrow(action);
  const field = fieldByName(name);
  if (field === undefined) {
    throw badArgument(action, `writes "${name}", which is not a field: see ovs-fields(7)`);
  }
  checkWritable(action, field);
  const parsed = parseFieldValue(field, valueText, ports);
  if (typeof parsed === 'string') throw badArgument(action, `has a value that ${parsed}`);
  return write('set_field', field, parsed.value, parsed.mask);
}

export function parseLoad(action: ActionText): Action {
  const [valueText, targetText] = splitArrow(action);
  const target = subfield(action, targetText);
  checkWritable(action, target.field);
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(valueText)) throw badArgument(action, 'has no number to load');
  const value = BigInt(valueText);
  if (value >> BigInt(target.bits) !== 0n) {
    throw badArgument(action, `has a value that does not fit into ${target.bits} bits`);
  }
  const shifted = value << BigInt(target.start);
  return { ...write('load', target.field, shifted, subfieldMask(target)), target };
}

export function parseMove(action: ActionText): Action {
  const [sourceText, targetText] = splitArrow(action);
  const source = subfield(action, sourceText);
  const target = subfield(action, targetText);
  checkWritable(action, target.field);
  if (source.bits !== target.bits) {
    throw badArgument(action, `moves ${source.bits} bits into ${target.bits}: name equally many`);
  }
  return { kind: 'move', source, target };
}

const MOD_FIELDS = {
  mod_dl_src: 'eth_src',
  mod_dl_dst: 'eth_dst',
  mod_nw_src: 'ip_src',
  mod_nw_dst: 'ip_dst',
  mod_nw_tos: 'ip_dscp',
  mod_nw_ecn: 'nw_ecn',
  mod_nw_ttl: 'nw_ttl',
  mod_tp_src: 'tcp_src',
  mod_tp_dst: 'tcp_dst',
} as const;
export type ModForm = keyof typeof MOD_FIELDS;

export function parseMod(form: ModForm, action: ActionText): Action {
  const field = fieldByName(MOD_FIELDS[form]);
  if (field === undefined) throw new TypeError(`no field ${MOD_FIELDS[form]}`);
  if (form === 'mod_nw_tos') return parseTos(action, field);
  const parsed = parseFieldValue(field, action.argument);
  if (typeof parsed === 'string') throw badArgument(action, `has a value that ${parsed}`);
  if (parsed.mask !== exactMask(field)) throw badArgument(action, 'takes no mask: use set_field');
  return write(form, field, parsed.value, parsed.mask);
}

/** The whole byte, though the lower two bits are ECN's and must be 0. */
function parseTos(action: ActionText, field: Field): Action {
  const tos = /^(0x[0-9a-f]{1,2}|\d{1,3})$/i.test(action.argument) ? Number(action.argument) : -1;
  if (tos < 0 || tos > 0xff || (tos & 3) !== 0) {
    throw badArgument(action, 'is not a valid TOS: use a multiple of 4 up to 252');
  }
  return write('mod_nw_tos', field, BigInt(tos >> 2), exactMask(field));
}

function splitArrow(action: ActionText): [string, string] {
  const at = action.argument.indexOf('->');
  if (at < 0) throw badArgument(action, 'lacks "->" and what stands after it');
  return [action.argument.slice(0, at).trim(), action.argument.slice(at + 2).trim()];
}

function subfield(action: ActionText, text: string): Subfield {
  const parsed = parseSubfield(text);
  if (typeof parsed === 'string') throw badArgument(action, `names "${text}", which ${parsed}`);
  return parsed;
}

function checkWritable(action: ActionText, field: Field): void {
  if (!field.writable) throw badArgument(action, `writes ${field.name}, which is read-only`);
}

function write(form: string, field: Field, value: bigint, mask: bigint): SetField {
  return { kind: 'set_field', form, field, value, mask, writes: writesOf(field, value, mask) };
}

function writesOf(field: Field, value: bigint, mask: bigint): WordWrite[] {
  const match = newMatch();
  setField(match, field, value, mask);
  const writes: WordWrite[] = [];
  for (const [word, bits] of match.mask.entries()) {
    if (bits !== 0) writes.push({ word, value: match.value[word], mask: bits });
  }
  return writes;
}
