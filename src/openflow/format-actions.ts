/**
 * Actions as text, as `ovs-ofctl dump-flows` and `ofproto/trace` print them.
 * Each keeps the form it was written in: `mod_nw_src` stays, `set_field` stays.
 */
import { formatFieldValue } from '../flow/field-text.ts';
import { exactMask } from '../flow/match.ts';
import { formatPort, OFPP_CONTROLLER, OFPP_IN_PORT, type PortNames } from '../flow/ports.ts';
import {
  type Action,
  type Controller,
  MAX_LEN_WHOLE,
  type Output,
  type Resubmit,
  type SetField,
  type Subfield,
  TABLE_CURRENT,
} from './action.ts';
import { formatSubfield } from './subfield.ts';

export function formatActions(actions: readonly Action[], ports?: PortNames): string {
  if (actions.length === 0) return 'drop';
  return actions.map((action) => formatAction(action, ports)).join(',');
}

export function formatAction(action: Action, ports?: PortNames): string {
  switch (action.kind) {
    case 'output':
      return formatOutput(action, ports);
    case 'output_register':
      return `output:${formatSubfield(action.source)}`;
    case 'controller':
      return formatController(action);
    case 'resubmit':
      return formatResubmit(action, ports);
    case 'goto_table':
      return `goto_table:${action.table}`;
    case 'set_field':
      return formatSetField(action, ports);
    case 'move':
      return `move:${formatSubfield(action.source)}->${formatSubfield(action.target)}`;
    case 'set_vlan_vid':
      return `${action.push ? 'mod' : 'set'}_vlan_vid:${action.vid}`;
    case 'set_vlan_pcp':
      return `${action.push ? 'mod' : 'set'}_vlan_pcp:${action.pcp}`;
    case 'push_vlan':
      return `push_vlan:0x${action.tpid.toString(16)}`;
    case 'pop_vlan':
      return action.form;
    case 'dec_ttl':
      return isPlain(action.ids) ? 'dec_ttl' : `dec_ttl(${action.ids.join(',')})`;
    case 'exit':
      return 'exit';
  }
}

/** What a subfield holds: whole, as its field is written, else in hexadecimal. */
export function formatSubfieldValue({ field, bits }: Subfield, value: bigint): string {
  if (bits === field.bits) return formatFieldValue(field, value, exactMask(field));
  return value === 0n ? '0' : `0x${value.toString(16)}`;
}

const FIRST_RESERVED = 0xff00;

function formatOutput({ port, maxLen }: Output, ports: PortNames | undefined): string {
  const name = formatPort(port, ports);
  if (maxLen !== undefined) return `output(port=${name},max_len=${maxLen})`;
  return port < FIRST_RESERVED ? `output:${name}` : name;
}

function formatController({ maxLen, reason, id }: Controller): string {
  if (reason === 'action' && id === 0) return `${formatPort(OFPP_CONTROLLER)}:${maxLen}`;
  const parts = [
    ...(reason === 'action' ? [] : [`reason=${reason}`]),
    ...(maxLen === MAX_LEN_WHOLE ? [] : [`max_len=${maxLen}`]),
    ...(id === 0 ? [] : [`id=${id}`]),
  ];
  return `controller(${parts.join(',')})`;
}

function formatResubmit({ port, table }: Resubmit, ports: PortNames | undefined): string {
  const name = port === OFPP_IN_PORT ? '' : formatPort(port, ports);
  if (table !== TABLE_CURRENT) return `resubmit(${name},${table})`;
  return port === OFPP_IN_PORT ? 'resubmit:IN_PORT' : `resubmit:${name}`;
}

function formatSetField(action: SetField, ports: PortNames | undefined): string {
  const { form, field, value, mask, target } = action;
  if (form === 'set_field') {
    return `set_field:${formatFieldValue(field, value, mask, ports)}->${field.name}`;
  }
  if (form === 'load' && target !== undefined) {
    const bits = (value & mask) >> BigInt(target.start);
    return `load:${bits === 0n ? '0' : `0x${bits.toString(16)}`}->${formatSubfield(target)}`;
  }
  // mod_nw_tos takes the whole byte, of which it sets the upper six bits.
  const shown = form === 'mod_nw_tos' ? value << 2n : value;
  return `${form}:${formatFieldValue(field, shown, exactMask(field), ports)}`;
}

const isPlain = (ids: readonly number[]): boolean => ids.length === 1 && ids[0] === 0;
