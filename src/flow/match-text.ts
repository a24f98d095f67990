/**
 * Matches as text, read: `tcp,in_port=1,nw_src=10.0.0.0/8,tp_dst=80`, the
 * syntax of ovs-ofctl(8). match-format.ts writes it.
 *
 * A flow's text holds other things beside its match (priority=, table=), which
 * its parser takes from the same tokens; so parsing is open: `tokenize` splits,
 * a MatchParser is fed those tokens that are nobody else's.
 *
 * Stricter than ovs-ofctl, which drops or cuts in silence what it cannot use:
 * a field without its prerequisites, a value with too many bits and a field
 * that is set to two values are errors here.
 */
import { TapflowError } from '../lib/error.ts';
import * as ethernet from '../wire/ethernet.ts';
import { PROTO_ICMP, PROTO_ICMPV6, PROTO_SCTP, PROTO_TCP, PROTO_UDP } from '../wire/proto.ts';
import { type FieldValue, parseFieldValue } from './field-text.ts';
import { type Field, fieldByName, type Prerequisite } from './fields.ts';
import { FLOW_WORDS, FRAG_LATER, PROTO, SHAPE, VLAN_CFI } from './key.ts';
import { exactMask, type Match, newMatch, setField, setNoVlan } from './match.ts';
import type { PortNames } from './ports.ts';
import { hintFor, meets } from './prerequisites.ts';

/** A `key` or `key=value` of a flow's text. */
export interface Token {
  key: string;
  /** undefined where there was no "=". */
  value: string | undefined;
  /** Where the key begins in the text. */
  at: number;
}

/** @throws TapflowError BAD_MATCH */
export function parseMatch(text: string, ports?: PortNames): Match {
  const parser = new MatchParser(ports);
  for (const token of tokenize(text)) {
    if (!parser.add(token)) throw badMatch(token, 'is not a field: see ovs-fields(7)');
  }
  return parser.finish();
}

/** Splits at commas and white space, but not inside parentheses or quotes. */
export function tokenize(text: string): Token[] {
  const pattern = /[^,\s=]*=(\([^)]*\)|"[^"]*"|[^,\s])*|[^,\s=]+/g;
  return [...text.matchAll(pattern)].map((found) => {
    const split = found[0].indexOf('=');
    const key = split < 0 ? found[0] : found[0].slice(0, split);
    return { key, value: split < 0 ? undefined : found[0].slice(split + 1), at: found.index };
  });
}

/** Collects a match from tokens, in any order. */
export class MatchParser {
  readonly #match = newMatch();
  readonly #ports: PortNames | undefined;
  /** What was set, to check prerequisites in the end and repetitions at once. */
  readonly #seen: { token: Token; field: Field; mask: bigint }[] = [];

  constructor(ports?: PortNames) {
    this.#ports = ports;
  }

  /**
   * @returns false if the key is no field and no protocol's name
   * @throws TapflowError BAD_MATCH
   */
  add(token: Token): boolean {
    const protocol = PROTOCOLS.get(token.key);
    if (protocol !== undefined) this.#addProtocol(token, protocol);
    const field = fieldByName(token.key);
    if (field !== undefined) this.#addField(token, field);
    return protocol !== undefined || field !== undefined;
  }

  /** @throws TapflowError BAD_MATCH when a field lacks its prerequisite */
  finish(): Match {
    for (const { token, field, mask } of this.#seen) {
      const needs = ALTERNATIVES.get(token.key) ?? [field.prerequisite];
      if (mask !== 0n && !needs.some((need) => meets(this.#match, need))) {
        throw badMatch(
          token,
          `needs ${needs.map(hintFor).join(', or ')} in the same match${this.#hint}`,
        );
      }
    }
    return this.#match;
  }

  /** What else may be wrong with a prerequisite that seems to be there. */
  get #hint(): string {
    const isLater = (this.#match.value[SHAPE] & FRAG_LATER) !== 0;
    return isLater ? ', and a later fragment has no ports' : '';
  }

  #addProtocol(token: Token, protocol: Protocol): void {
    if (token.value !== undefined) throw badMatch(token, 'takes no value');
    const more = newMatch();
    more.value[PROTO] = (protocol.ethType << 16) | ((protocol.nwProto ?? 0) << 8);
    if (protocol.ethType !== 0) more.mask[PROTO] = 0xffff << 16;
    if (protocol.nwProto !== undefined) more.mask[PROTO] |= 0xff << 8;
    this.#merge(token, more);
  }

  #addField(token: Token, field: Field): void {
    if (token.value === undefined || token.value === '') throw badMatch(token, 'needs a value');
    const more = newMatch();
    const mask = this.#parse(token, field, token.value, more);
    const before = this.#seen.find((other) => other.field === field);
    if (before !== undefined && before.mask !== mask) throw badMatch(token, TWICE);
    this.#merge(token, more);
    this.#seen.push({ token, field, mask });
  }

  #parse(token: Token, field: Field, text: string, into: Match): bigint {
    if (saysNoVlan(field, text)) {
      setNoVlan(into);
      return exactMask(field);
    }
    const parsed = parseFieldValue(field, text, this.#ports);
    if (typeof parsed === 'string') throw badMatch(token, parsed);
    if (isAbsentVid(field, parsed)) setNoVlan(into);
    else setField(into, field, parsed.value, parsed.mask);
    return parsed.mask;
  }

  #merge(token: Token, more: Match): void {
    const { value, mask } = this.#match;
    for (let i = 0; i < FLOW_WORDS; i++) {
      if (((value[i] ^ more.value[i]) & mask[i] & more.mask[i]) !== 0) throw badMatch(token, TWICE);
    }
    for (let i = 0; i < FLOW_WORDS; i++) {
      value[i] |= more.value[i];
      mask[i] |= more.mask[i];
    }
  }
}

const TWICE = 'contradicts what stands before it: name each field once';

/** A name that stands for an Ethernet type and perhaps an IP protocol. */
interface Protocol {
  /** 0: any. */
  ethType: number;
  nwProto?: number;
}

const PROTOCOLS: ReadonlyMap<string, Protocol> = new Map([
  ['eth', { ethType: 0 }],
  ['ip', { ethType: ethernet.TYPE_IPV4 }],
  ['ipv4', { ethType: ethernet.TYPE_IPV4 }],
  ['ip4', { ethType: ethernet.TYPE_IPV4 }],
  ['icmp', { ethType: ethernet.TYPE_IPV4, nwProto: PROTO_ICMP }],
  ['tcp', { ethType: ethernet.TYPE_IPV4, nwProto: PROTO_TCP }],
  ['udp', { ethType: ethernet.TYPE_IPV4, nwProto: PROTO_UDP }],
  ['sctp', { ethType: ethernet.TYPE_IPV4, nwProto: PROTO_SCTP }],
  ['ipv6', { ethType: ethernet.TYPE_IPV6 }],
  ['ip6', { ethType: ethernet.TYPE_IPV6 }],
  ['icmp6', { ethType: ethernet.TYPE_IPV6, nwProto: PROTO_ICMPV6 }],
  ['tcp6', { ethType: ethernet.TYPE_IPV6, nwProto: PROTO_TCP }],
  ['udp6', { ethType: ethernet.TYPE_IPV6, nwProto: PROTO_UDP }],
  ['sctp6', { ethType: ethernet.TYPE_IPV6, nwProto: PROTO_SCTP }],
  ['arp', { ethType: ethernet.TYPE_ARP }],
  ['rarp', { ethType: ethernet.TYPE_RARP }],
  ['mpls', { ethType: ethernet.TYPE_MPLS }],
  ['mplsm', { ethType: ethernet.TYPE_MPLS_MULTICAST }],
]);

/** Old names that serve several protocols. */
const PORT_OWNERS: readonly Prerequisite[] = ['tcp', 'udp', 'sctp', 'icmpv4', 'icmpv6'];
const ALTERNATIVES: ReadonlyMap<string, readonly Prerequisite[]> = new Map([
  ['nw_src', ['ipv4', 'arp']],
  ['nw_dst', ['ipv4', 'arp']],
  ['nw_proto', ['ip', 'arp']],
  ['tp_src', PORT_OWNERS],
  ['tp_dst', PORT_OWNERS],
  ['icmp_type', ['icmpv4', 'icmpv6']],
  ['icmp_code', ['icmpv4', 'icmpv6']],
]);

/** OpenFlow 1.0's way to ask for packets without a tag. */
const saysNoVlan = (field: Field, text: string): boolean =>
  field.name === 'dl_vlan' && Number(text) === 0xffff;

/** OpenFlow 1.2's: a VLAN ID without the bit for its presence. */
const isAbsentVid = (field: Field, { value, mask }: FieldValue): boolean =>
  field.name === 'vlan_vid' && mask === exactMask(field) && (value & BigInt(VLAN_CFI)) === 0n;

function badMatch(token: Token, complaint: string): TapflowError {
  const text = token.value === undefined ? token.key : `${token.key}=${token.value}`;
  return new TapflowError('BAD_MATCH', `${text} (at character ${token.at + 1}) ${complaint}`);
}
