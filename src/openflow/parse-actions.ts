/**
 * Actions from text, in the syntax of ovs-actions(7):
 * `mod_dl_dst:00:00:00:00:00:01,resubmit(,1),output:2`.
 *
 * The actions of this release; those it knows of but does not carry out yet
 * are refused by name, like misspelled ones, which bring suggestions.
 */
import { OFPP_CONTROLLER, OFPP_IN_PORT, type PortNames, parsePort } from '../flow/ports.ts';
import { type Action, MAX_LEN_WHOLE, type PacketInReason, TABLE_CURRENT } from './action.ts';
import { badAction, badArgument } from './flow-error.ts';
import { nearest } from './nearest.ts';
import {
  type ModForm,
  parseLoad,
  parseMod,
  parseMove,
  parseSetField,
} from './parse-field-actions.ts';
import { type ActionText, splitActions } from './split-actions.ts';
import { parseSubfield } from './subfield.ts';

/** @throws TapflowError BAD_FLOW */
export function parseActions(text: string, ports?: PortNames): Action[] {
  const parts = splitActions(text);
  if (parts.some(({ name }) => name === 'drop')) {
    if (parts.length === 1) return [];
    throw badAction('drop', 'must not be accompanied by any other action: remove one or the other');
  }
  return parts.map((part) => parseAction(part, ports));
}

type Parser = (action: ActionText, ports: PortNames | undefined) => Action;

function parseAction(action: ActionText, ports: PortNames | undefined): Action {
  const parser = PARSERS.get(action.name);
  if (parser !== undefined) return parser(action, ports);
  if (action.argument === '') {
    const port = parsePort(action.name, ports);
    if (port !== undefined) return { kind: 'output', port };
  }
  throw unknownAction(action);
}

function unknownAction({ name }: ActionText): Error {
  if (LATER.has(name)) return badAction(name, 'is not supported yet: see the README');
  const near = nearest(name, [...PARSERS.keys()]);
  const hint = near.length > 0 ? `did you mean ${near.join(', ')}?` : 'see ovs-actions(7)';
  return badAction(name, `is not an action: ${hint}`);
}

/** Actions of Open vSwitch that come in later releases. */
const LATER: ReadonlySet<string> = new Set([
  ...['group', 'learn', 'ct', 'ct_clear', 'nat', 'meter', 'write_actions', 'clear_actions'],
  ...['write_metadata', 'push_mpls', 'pop_mpls', 'set_mpls_label', 'set_mpls_tc', 'set_mpls_ttl'],
  ...['dec_mpls_ttl', 'conjunction', 'clone', 'sample', 'multipath', 'bundle', 'bundle_load'],
  ...['enqueue', 'set_queue', 'pop_queue', 'note', 'fin_timeout', 'stack', 'push', 'pop'],
  ...['set_tunnel', 'set_tunnel64', 'encap', 'decap', 'dec_nsh_ttl', 'check_pkt_larger'],
  ...['delete_field', 'debug_recirc', 'debug_slow', 'output_reg', 'table'],
]);

const MODS: readonly ModForm[] = [
  ...(['mod_dl_src', 'mod_dl_dst', 'mod_nw_src', 'mod_nw_dst', 'mod_nw_tos'] as const),
  ...(['mod_nw_ecn', 'mod_nw_ttl', 'mod_tp_src', 'mod_tp_dst'] as const),
];

const RESERVED_PORTS = ['normal', 'flood', 'all', 'in_port', 'local'];

const PARSERS: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ...RESERVED_PORTS.map((name): [string, Parser] => [name, parseReserved]),
  ...MODS.map((form): [string, Parser] => [form, (action) => parseMod(form, action)]),
  ['output', parseOutput],
  ['controller', parseController],
  ['resubmit', parseResubmit],
  ['goto_table', (action) => ({ kind: 'goto_table', table: number(action, 0, 254, 'a table') })],
  ['set_field', parseSetField],
  ['load', parseLoad],
  ['move', parseMove],
  ['mod_vlan_vid', (action) => vlanVid(action, true)],
  ['set_vlan_vid', (action) => vlanVid(action, false)],
  ['mod_vlan_pcp', (action) => vlanPcp(action, true)],
  ['set_vlan_pcp', (action) => vlanPcp(action, false)],
  ['push_vlan', parsePushVlan],
  ['pop_vlan', (action) => plain(action, { kind: 'pop_vlan', form: 'pop_vlan' })],
  ['strip_vlan', (action) => plain(action, { kind: 'pop_vlan', form: 'strip_vlan' })],
  ['dec_ttl', parseDecTtl],
  ['exit', (action) => plain(action, { kind: 'exit' })],
]);

function plain(text: ActionText, action: Action): Action {
  if (text.argument === '') return action;
  throw badArgument(text, 'takes no argument: leave it out');
}

function parseReserved(action: ActionText): Action {
  const port = parsePort(action.name);
  if (port === undefined) throw unknownAction(action);
  return plain(action, { kind: 'output', port });
}

function parseOutput(action: ActionText, ports: PortNames | undefined): Action {
  if (action.isParenthesized) return parseTruncated(action, ports);
  const port = parsePort(action.argument, ports);
  if (port === OFPP_CONTROLLER) {
    return { kind: 'controller', maxLen: MAX_LEN_WHOLE, reason: 'action', id: 0 };
  }
  if (port !== undefined) return { kind: 'output', port };
  const source = parseSubfield(action.argument);
  if (typeof source !== 'string') return { kind: 'output_register', source };
  throw badArgument(action, 'is not a port: give its number, or a name this bridge knows');
}

/** Shorter frames than an Ethernet header make no sense. */
const MIN_MAX_LEN = 14;

function parseTruncated(action: ActionText, ports: PortNames | undefined): Action {
  const options = optionsOf(action, ['port', 'max_len']);
  const port = parsePort(options.get('port') ?? '', ports);
  if (port === undefined) throw badArgument(action, 'needs port=N or a name this bridge knows');
  const maxLen = integer(options.get('max_len') ?? '');
  if (maxLen === undefined || maxLen < MIN_MAX_LEN || maxLen > 0xffffffff) {
    throw badArgument(action, `needs max_len=BYTES, at least ${MIN_MAX_LEN}`);
  }
  return { kind: 'output', port, maxLen };
}

function parseController(action: ActionText): Action {
  if (!action.isParenthesized) {
    const maxLen = action.argument === '' ? MAX_LEN_WHOLE : number(action, 0, 0xffff, 'a size');
    return { kind: 'controller', maxLen, reason: 'action', id: 0 };
  }
  const options = optionsOf(action, ['max_len', 'reason', 'id']);
  const maxLen = integer(options.get('max_len') ?? String(MAX_LEN_WHOLE));
  const id = integer(options.get('id') ?? '0');
  if (maxLen === undefined || maxLen > 0xffff) throw badArgument(action, 'needs max_len=0..65535');
  if (id === undefined || id > 0xffff) throw badArgument(action, 'needs id=0..65535');
  return { kind: 'controller', maxLen, reason: reasonOf(action, options.get('reason')), id };
}

function reasonOf(action: ActionText, text = 'action'): PacketInReason {
  if (text === 'action' || text === 'no_match' || text === 'invalid_ttl') return text;
  throw badArgument(action, 'needs reason=action, no_match or invalid_ttl');
}

function parseResubmit(action: ActionText, ports: PortNames | undefined): Action {
  const [portText, tableText = '', ...rest] = action.isParenthesized
    ? action.argument.split(',').map((part) => part.trim())
    : [action.argument];
  if (rest.length > 0) throw badArgument(action, 'takes a port and a table');
  if (portText === '' && tableText === '') {
    throw badArgument(action, 'needs a port, a table or both: resubmit(,1)');
  }
  const port = portText === '' ? OFPP_IN_PORT : parsePort(portText, ports);
  if (port === undefined) throw badArgument(action, 'names a port that this bridge has not');
  const table = tableText === '' ? TABLE_CURRENT : integer(tableText);
  if (table === undefined || table > TABLE_CURRENT) {
    throw badArgument(action, 'names a table that does not exist: use 0 to 254');
  }
  return { kind: 'resubmit', port, table };
}

function vlanVid(action: ActionText, push: boolean): Action {
  return { kind: 'set_vlan_vid', vid: number(action, 0, 4095, 'a VLAN ID'), push };
}

function vlanPcp(action: ActionText, push: boolean): Action {
  return { kind: 'set_vlan_pcp', pcp: number(action, 0, 7, 'a VLAN priority'), push };
}

function parsePushVlan(action: ActionText): Action {
  const tpid = integer(action.argument);
  if (tpid === 0x8100 || tpid === 0x88a8) return { kind: 'push_vlan', tpid };
  throw badArgument(action, 'is not a VLAN ethertype: use 0x8100 or 0x88a8');
}

function parseDecTtl(action: ActionText): Action {
  if (action.argument === '') return { kind: 'dec_ttl', ids: [0] };
  const ids = action.argument.split(',').map((part) => integer(part.trim()));
  const good = ids.filter((id): id is number => id !== undefined && id <= 0xffff);
  if (good.length === ids.length) return { kind: 'dec_ttl', ids: good };
  throw badArgument(action, 'takes controller ids, 0 to 65535');
}

function number(action: ActionText, min: number, max: number, what: string): number {
  const value = integer(action.argument);
  if (value !== undefined && value >= min && value <= max) return value;
  throw badArgument(action, `is not ${what}: use ${min} to ${max}`);
}

function integer(text: string): number | undefined {
  return /^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text) ? Number(text) : undefined;
}

function optionsOf(action: ActionText, known: readonly string[]): Map<string, string> {
  const options = new Map<string, string>();
  for (const part of action.argument.split(/[,\s]+/).filter((text) => text !== '')) {
    const [key, value] = part.split('=', 2);
    if (!known.includes(key) || value === undefined) {
      throw badArgument(action, `does not take "${part}": it takes ${known.join('=, ')}=`);
    }
    options.set(key, value);
  }
  return options;
}
