/**
 * Flows as text, in the syntax of ovs-ofctl(8):
 * `table=0,priority=10,cookie=0x1,idle_timeout=60,tcp,in_port=1,actions=output:2`.
 *
 * Three commands take such a text: add a flow, modify flows that match it,
 * delete (or show) them; each allows and requires other parts of it. What a
 * dump shows besides (duration, counters, ages) may stand there and is ignored.
 */
import { type Match, newMatch } from '../flow/match.ts';
import { MatchParser, type Token, tokenize } from '../flow/match-text.ts';
import { type PortNames, parsePort } from '../flow/ports.ts';
import type { TapflowError } from '../lib/error.ts';
import type { Action } from './action.ts';
import { checkActions } from './check-actions.ts';
import { badFlow } from './flow-error.ts';
import { parseActions } from './parse-actions.ts';

export type FlowCommand = 'add' | 'modify' | 'modify strict' | 'delete' | 'delete strict';

export interface FlowSpec {
  /** undefined: 0 for an added flow, all tables for the other commands. */
  table: number | undefined;
  priority: number;
  match: Match;
  actions: readonly Action[];
  /** undefined: none was given. */
  cookie: bigint | undefined;
  /** Which bits of `cookie` a flow must agree with; 0n: any cookie will do, and `cookie` is a new one. */
  cookieMask: bigint;
  /** Seconds; 0: none. */
  idleTimeout: number;
  hardTimeout: number;
  importance: number;
  /** `send_flow_rem` and its like, in Open vSwitch's order. */
  flags: readonly string[];
  /** Only flows that output to this port. */
  outPort: number | undefined;
}

export const DEFAULT_PRIORITY = 32768;

/** @throws TapflowError BAD_FLOW or BAD_MATCH */
export function parseFlowSpec(text: string, command: FlowCommand, ports?: PortNames): FlowSpec {
  const split = /(?:^|[,\s])actions?\s*=/.exec(text);
  const spec = newSpec();
  const match = new MatchParser(ports);
  for (const token of tokenize(split === null ? text : text.slice(0, split.index))) {
    if (!addToken(spec, token, command, ports) && !match.add(token)) throw unknown(token);
  }
  spec.match = match.finish();
  const actionsText = split === null ? undefined : text.slice(split.index + split[0].length);
  spec.actions = actionsFor(command, actionsText, spec, ports);
  return spec;
}

/** Everything, as deletes and dumps without a text mean it. */
export const newSpec = (): FlowSpec => ({
  table: undefined,
  priority: DEFAULT_PRIORITY,
  match: newMatch(),
  actions: [],
  cookie: undefined,
  cookieMask: 0n,
  idleTimeout: 0,
  hardTimeout: 0,
  importance: 0,
  flags: [],
  outPort: undefined,
});

const isDelete = (command: FlowCommand): boolean => command.startsWith('delete');

function actionsFor(
  command: FlowCommand,
  text: string | undefined,
  spec: FlowSpec,
  ports: PortNames | undefined,
): readonly Action[] {
  if (isDelete(command)) {
    if (text !== undefined) throw badFlow('actions= has no meaning here: leave it out');
    return [];
  }
  if (text === undefined)
    throw badFlow('a flow needs its actions: add actions=..., or actions=drop');
  const actions = parseActions(text, ports);
  checkActions(actions, spec.match, spec.table ?? 0);
  return actions;
}

const FLAGS = [
  ...['send_flow_rem', 'check_overlap', 'reset_counts', 'no_packet_counts', 'no_byte_counts'],
];
const IGNORED = new Set(['duration', 'n_packets', 'n_bytes', 'idle_age', 'hard_age']);

/** @returns whether it is a part of the flow that is no match */
function addToken(
  spec: FlowSpec,
  token: Token,
  command: FlowCommand,
  ports: PortNames | undefined,
): boolean {
  const { key } = token;
  if (FLAGS.includes(key)) return addFlag(spec, token, command);
  if (IGNORED.has(key)) return true;
  switch (key) {
    case 'table':
      spec.table = number(token, 0, 255);
      if (spec.table === 255) spec.table = undefined;
      return true;
    case 'priority':
      if (command === 'modify' || command === 'delete') throw onlyStrict(token);
      spec.priority = number(token, 0, 65535);
      return true;
    case 'cookie':
      addCookie(spec, token, command);
      return true;
    case 'out_port':
      addOutPort(spec, token, command, ports);
      return true;
    default:
      return !isDelete(command) && addTimeout(spec, token);
  }
}

function addFlag(spec: FlowSpec, token: Token, command: FlowCommand): boolean {
  if (token.value !== undefined) throw bad(token, 'takes no value');
  if (isDelete(command)) throw bad(token, 'has no meaning here: leave it out');
  spec.flags = FLAGS.filter((flag) => flag === token.key || spec.flags.includes(flag));
  return true;
}

function addTimeout(spec: FlowSpec, token: Token): boolean {
  switch (token.key) {
    case 'idle_timeout':
      spec.idleTimeout = number(token, 0, 65535);
      return true;
    case 'hard_timeout':
      spec.hardTimeout = number(token, 0, 65535);
      return true;
    case 'importance':
      spec.importance = number(token, 0, 65535);
      return true;
    default:
      return false;
  }
}

const COOKIE_BITS = 64;
const EXACT_COOKIE = (1n << 64n) - 1n;

function addCookie(spec: FlowSpec, token: Token, command: FlowCommand): void {
  const [valueText, maskText] = (token.value ?? '').split('/', 2);
  if (maskText === undefined) {
    if (isDelete(command)) throw bad(token, 'needs a mask to be matched on: write cookie=N/-1');
    spec.cookie = cookieNumber(token, valueText);
    return;
  }
  if (command === 'add') throw bad(token, 'has a mask, which an added flow cannot: leave it out');
  spec.cookieMask = maskText === '-1' ? EXACT_COOKIE : cookieNumber(token, maskText);
  spec.cookie = cookieNumber(token, valueText) & spec.cookieMask;
}

function cookieNumber(token: Token, text: string): bigint {
  const isNumber = /^(0x[0-9a-f]+|\d+)$/i.test(text);
  const value = isNumber ? BigInt(text) : -1n;
  if (value >= 0n && value >> BigInt(COOKIE_BITS) === 0n) return value;
  throw bad(token, 'is not a cookie: use a number of at most 64 bits');
}

function addOutPort(
  spec: FlowSpec,
  token: Token,
  command: FlowCommand,
  ports: PortNames | undefined,
): void {
  if (!isDelete(command)) throw bad(token, 'selects flows to delete or show only: leave it out');
  spec.outPort = parsePort(token.value ?? '', ports);
  if (spec.outPort === undefined) {
    throw bad(token, 'is not a port: give its number, or a name this bridge knows');
  }
}

function number(token: Token, min: number, max: number): number {
  const text = token.value ?? '';
  const value = /^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text) ? Number(text) : -1;
  if (value >= min && value <= max) return value;
  throw bad(token, `is not a number from ${min} to ${max}`);
}

const onlyStrict = (token: Token): TapflowError =>
  bad(token, 'counts only when flows are matched strictly: add --strict, or leave it out');

const unknown = (token: Token): TapflowError =>
  bad(token, 'is neither a field nor a part of a flow: see ovs-fields(7) and ovs-ofctl(8)');

function bad({ key, value, at }: Token, complaint: string): TapflowError {
  const text = value === undefined ? key : `${key}=${value}`;
  return badFlow(`${text} (at character ${at + 1}) ${complaint}`);
}
