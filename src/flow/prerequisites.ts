/**
 * Prerequisites: a port number means nothing before a match has said TCP. What
 * each kind asks of a match, and in which words to tell a user.
 */
import * as ethernet from '../wire/ethernet.ts';
import { NEIGHBOR_ADVERT, NEIGHBOR_SOLICIT } from '../wire/icmpv6.ts';
import { PROTO_ICMP, PROTO_ICMPV6, PROTO_SCTP, PROTO_TCP, PROTO_UDP } from '../wire/proto.ts';
import type { Prerequisite } from './fields.ts';
import { CT_STATE, FRAG_LATER, PROTO, SHAPE, TP } from './key.ts';
import type { Match } from './match.ts';

/** Whether every flow that fulfils the match fulfils the prerequisite. */
export const meets = (match: Match, prerequisite: Prerequisite): boolean =>
  RULES[prerequisite].met(match);

/** What to add to a match: "tcp or tcp6". */
export const hintFor = (prerequisite: Prerequisite): string => RULES[prerequisite].hint;

interface Rule {
  hint: string;
  met(match: Match): boolean;
}

/** ct_state's bit for a tracked connection. */
const CT_TRACKED = 0x20;

const RULES: Readonly<Record<Prerequisite, Rule>> = {
  none: { hint: 'nothing', met: () => true },
  arp: { hint: 'arp or rarp', met: (m) => isType(m, ethernet.TYPE_ARP, ethernet.TYPE_RARP) },
  ipv4: { hint: 'ip', met: (m) => isType(m, ethernet.TYPE_IPV4) },
  ipv6: { hint: 'ipv6', met: (m) => isType(m, ethernet.TYPE_IPV6) },
  ip: { hint: 'ip or ipv6', met: isIp },
  mpls: {
    hint: 'mpls or mplsm',
    met: (m) => isType(m, ethernet.TYPE_MPLS, ethernet.TYPE_MPLS_MULTICAST),
  },
  nsh: { hint: 'eth_type=0x894f', met: (m) => isType(m, ethernet.TYPE_NSH) },
  ct: {
    hint: 'ct_state=+trk and ip or ipv6',
    met: (m) => isIp(m) && (m.value[CT_STATE] & CT_TRACKED) !== 0,
  },
  tcp: { hint: 'tcp or tcp6', met: (m) => isIp(m) && isProto(m, PROTO_TCP) },
  udp: { hint: 'udp or udp6', met: (m) => isIp(m) && isProto(m, PROTO_UDP) },
  sctp: { hint: 'sctp or sctp6', met: (m) => isIp(m) && isProto(m, PROTO_SCTP) },
  icmpv4: {
    hint: 'icmp',
    met: (m) => isType(m, ethernet.TYPE_IPV4) && isProto(m, PROTO_ICMP),
  },
  icmpv6: { hint: 'icmp6', met: isIcmpv6 },
  nd: {
    hint: 'icmp6 and icmpv6_type=135 or 136',
    met: (m) => isIcmpv6(m) && isIcmpType(m, NEIGHBOR_SOLICIT, NEIGHBOR_ADVERT),
  },
  'nd solicit': {
    hint: 'icmp6 and icmpv6_type=135',
    met: (m) => isIcmpv6(m) && isIcmpType(m, NEIGHBOR_SOLICIT),
  },
  'nd advert': {
    hint: 'icmp6 and icmpv6_type=136',
    met: (m) => isIcmpv6(m) && isIcmpType(m, NEIGHBOR_ADVERT),
  },
};

const isType = (match: Match, ...types: number[]): boolean =>
  match.mask[PROTO] >>> 16 === 0xffff && types.includes(match.value[PROTO] >>> 16);

/** A later fragment has no transport header. */
const isProto = (match: Match, proto: number): boolean =>
  ((match.mask[PROTO] >>> 8) & 0xff) === 0xff &&
  ((match.value[PROTO] >>> 8) & 0xff) === proto &&
  (match.value[SHAPE] & FRAG_LATER) === 0;

const isIcmpType = (match: Match, ...types: number[]): boolean =>
  match.mask[TP] >>> 16 === 0xffff && types.includes(match.value[TP] >>> 16);

function isIp(match: Match): boolean {
  return isType(match, ethernet.TYPE_IPV4, ethernet.TYPE_IPV6);
}

function isIcmpv6(match: Match): boolean {
  return isType(match, ethernet.TYPE_IPV6) && isProto(match, PROTO_ICMPV6);
}
