/**
 * Commits what actions did to a flow's headers: appends the datapath actions
 * that turn the packet as it is (`base`) into what the flow says by now, and
 * makes `base` equal to it.
 *
 * Open vSwitch's order: Ethernet, ARP or IP, ND, transport, VLAN, priority,
 * mark. A set action covers the fields that differ and no others; of such a
 * field it covers the bits in the wildcards, which hold at least those an
 * action wrote.
 *
 * Open vSwitch takes nw_proto 0 to mean that there is no sound L3 header, and
 * sets nothing then. That decision looks at nw_proto, so it goes into the
 * wildcards here; stock ovs-vswitchd forgets it after `move` and ip_dscp.
 */
import {
  type ActionList,
  POP_VLAN,
  PUSH_VLAN,
  SET_ARP,
  SET_ETH,
  SET_IPV4,
  SET_IPV6,
  SET_MARK,
  SET_ND,
  SET_PRIORITY,
  SET_TP,
} from '../dpif/actions.ts';
import {
  ARP_0,
  IPV6_DST,
  IPV6_LABEL,
  IPV6_SRC,
  MAC_0,
  ND_TARGET,
  NW_DST,
  NW_SRC,
  PKT_MARK,
  PROTO,
  SKB_PRIORITY,
  TP,
  VLAN_0,
  VLAN_1,
  VLAN_CFI,
  VOLATILE,
} from '../flow/key.ts';
import {
  ETH_TYPE_ARP,
  ETH_TYPE_IPV4,
  ETH_TYPE_IPV6,
  ETH_TYPE_RARP,
  ethType,
  isIcmp,
  NW_PROTO_BITS,
  nwProto,
} from './flow-facts.ts';

const LOW = 0x0000ffff;
const HIGH = 0xffff0000 | 0;
const TOS_BITS = 0xff;
const TTL_BITS = 0xff << 16;
const ICMP_BITS = 0x00ff00ff;

/** @param flow, base, wildcards FLOW_WORDS words each */
export function commit(
  flow: Int32Array,
  base: Int32Array,
  wildcards: Int32Array,
  actions: ActionList,
): void {
  commitEthernet(flow, base, wildcards, actions);
  commitNetwork(flow, base, wildcards, actions);
  if (flow[TP] !== base[TP]) commitTransport(flow, base, wildcards, actions);
  commitVlan(flow, base, wildcards, actions);
  if (flow[SKB_PRIORITY] !== base[SKB_PRIORITY]) {
    commitWord(SKB_PRIORITY, SET_PRIORITY, flow, base, wildcards, actions);
  }
  if (flow[PKT_MARK] !== base[PKT_MARK]) {
    commitWord(PKT_MARK, SET_MARK, flow, base, wildcards, actions);
  }
}

function commitEthernet(
  flow: Int32Array,
  base: Int32Array,
  wildcards: Int32Array,
  actions: ActionList,
): void {
  if (!differs(MAC_0, 3, flow, base)) return;
  const at = actions.length + 1;
  actions.push(SET_ETH, 0, 0, 0, 0, 0, 0);
  copyMacPair(MAC_0, flow, base, wildcards, actions.words, at);
}

/**
 * Two addresses that share three words: writes those that differ, as three
 * values and three masks, and makes them equal.
 */
function copyMacPair(
  from: number,
  flow: Int32Array,
  base: Int32Array,
  wildcards: Int32Array,
  out: Int32Array,
  at: number,
): void {
  const middle = flow[from + 1] ^ base[from + 1];
  const first = ((flow[from] ^ base[from]) | (middle & HIGH)) === 0 ? 0 : -1;
  const second = ((flow[from + 2] ^ base[from + 2]) | (middle & LOW)) === 0 ? 0 : -1;
  out[at + 3] = wildcards[from] & first;
  out[at + 4] = wildcards[from + 1] & ((first & HIGH) | (second & LOW));
  out[at + 5] = wildcards[from + 2] & second;
  for (let i = 0; i < 3; i++) {
    out[at + i] = flow[from + i] & out[at + 3 + i];
    base[from + i] = flow[from + i];
  }
}

function commitNetwork(
  flow: Int32Array,
  base: Int32Array,
  wildcards: Int32Array,
  actions: ActionList,
): void {
  switch (ethType(base)) {
    case ETH_TYPE_IPV4:
      commitIpv4(flow, base, wildcards, actions);
      break;
    case ETH_TYPE_IPV6:
      commitIpv6(flow, base, wildcards, actions);
      commitNd(flow, base, wildcards, actions);
      break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
      commitArp(flow, base, wildcards, actions);
      break;
  }
}

/** The wildcards' bits where the two words differ in `bits`, else 0. */
function changed(
  word: number,
  bits: number,
  flow: Int32Array,
  base: Int32Array,
  wildcards: Int32Array,
): number {
  return ((flow[word] ^ base[word]) & bits) === 0 ? 0 : wildcards[word] & bits;
}

/** Whether there is an L3 header to set, noting that this was asked. */
function hasHeader(base: Int32Array, wildcards: Int32Array): boolean {
  wildcards[PROTO] |= NW_PROTO_BITS;
  return nwProto(base) !== 0;
}

function commitIpv4(
  flow: Int32Array,
  base: Int32Array,
  wildcards: Int32Array,
  actions: ActionList,
): void {
  const src = changed(NW_SRC, -1, flow, base, wildcards);
  const dst = changed(NW_DST, -1, flow, base, wildcards);
  const bits = tosAndTtl(flow, base, wildcards);
  if ((src | dst | bits) === 0 || !hasHeader(base, wildcards)) return;
  const v1 = flow[NW_SRC] & src;
  const v2 = flow[NW_DST] & dst;
  actions.push(SET_IPV4, v1, src, v2, dst, tosAndTtlOf(flow) & bits, bits);
  base[NW_SRC] = flow[NW_SRC];
  base[NW_DST] = flow[NW_DST];
  copyTosAndTtl(flow, base);
}

/** As in set actions: tos << 8 | ttl. */
function tosAndTtl(flow: Int32Array, base: Int32Array, wildcards: Int32Array): number {
  const tos = changed(PROTO, TOS_BITS, flow, base, wildcards);
  const ttl = changed(VOLATILE, TTL_BITS, flow, base, wildcards);
  return (tos << 8) | (ttl >>> 16);
}

function tosAndTtlOf(flow: Int32Array): number {
  return ((flow[PROTO] & TOS_BITS) << 8) | ((flow[VOLATILE] >>> 16) & 0xff);
}

function copyTosAndTtl(flow: Int32Array, base: Int32Array): void {
  base[PROTO] = (base[PROTO] & ~TOS_BITS) | (flow[PROTO] & TOS_BITS);
  base[VOLATILE] = (base[VOLATILE] & ~TTL_BITS) | (flow[VOLATILE] & TTL_BITS);
}

function commitIpv6(
  flow: Int32Array,
  base: Int32Array,
  wildcards: Int32Array,
  actions: ActionList,
): void {
  const src = differs(IPV6_SRC, 4, flow, base);
  const dst = differs(IPV6_DST, 4, flow, base);
  const label = changed(IPV6_LABEL, -1, flow, base, wildcards);
  const bits = tosAndTtl(flow, base, wildcards);
  if ((!src && !dst && (label | bits) === 0) || !hasHeader(base, wildcards)) return;
  const at = actions.length + 1;
  actions.push(
    SET_IPV6,
    ...EIGHT_ZEROS,
    ...EIGHT_ZEROS,
    flow[IPV6_LABEL] & label,
    label,
    tosAndTtlOf(flow) & bits,
    bits,
  );
  if (src) copyMasked(IPV6_SRC, 4, flow, wildcards, actions.words, at);
  if (dst) copyMasked(IPV6_DST, 4, flow, wildcards, actions.words, at + 8);
  for (let word = IPV6_SRC; word <= IPV6_LABEL; word++) base[word] = flow[word];
  copyTosAndTtl(flow, base);
}

const EIGHT_ZEROS: readonly number[] = new Array<number>(8).fill(0);

function differs(at: number, words: number, flow: Int32Array, base: Int32Array): boolean {
  for (let word = at; word < at + words; word++) if (flow[word] !== base[word]) return true;
  return false;
}

/** Writes `words` values and then as many masks. */
function copyMasked(
  from: number,
  words: number,
  flow: Int32Array,
  wildcards: Int32Array,
  out: Int32Array,
  at: number,
): void {
  for (let i = 0; i < words; i++) {
    out[at + i] = flow[from + i] & wildcards[from + i];
    out[at + words + i] = wildcards[from + i];
  }
}

function commitArp(
  flow: Int32Array,
  base: Int32Array,
  wildcards: Int32Array,
  actions: ActionList,
): void {
  const hasOp = ((flow[PROTO] ^ base[PROTO]) & NW_PROTO_BITS) !== 0;
  const spa = changed(NW_SRC, -1, flow, base, wildcards);
  const tpa = changed(NW_DST, -1, flow, base, wildcards);
  if (!hasOp && (spa | tpa) === 0 && !differs(ARP_0, 3, flow, base)) return;
  if (!hasHeader(base, wildcards)) return;
  // All sixteen bits of the opcode, of which a key has the lower eight.
  const op = hasOp ? 0xffff : 0;
  const v1 = flow[NW_SRC] & spa;
  const v2 = flow[NW_DST] & tpa;
  const at = actions.length + 1;
  actions.push(SET_ARP, nwProto(flow) & op, op, v1, spa, v2, tpa, 0, 0, 0, 0, 0, 0);
  copyMacPair(ARP_0, flow, base, wildcards, actions.words, at + 6);
  base[PROTO] = flow[PROTO];
  base[NW_SRC] = flow[NW_SRC];
  base[NW_DST] = flow[NW_DST];
}

function commitNd(
  flow: Int32Array,
  base: Int32Array,
  wildcards: Int32Array,
  actions: ActionList,
): void {
  const target = differs(ND_TARGET, 4, flow, base);
  if (!target && !differs(ARP_0, 3, flow, base)) return;
  const at = actions.length + 1;
  actions.push(SET_ND, ...EIGHT_ZEROS, 0, 0, 0, 0, 0, 0);
  if (target) copyMasked(ND_TARGET, 4, flow, wildcards, actions.words, at);
  copyMacPair(ARP_0, flow, base, wildcards, actions.words, at + 8);
  for (let word = ND_TARGET; word < ND_TARGET + 4; word++) base[word] = flow[word];
}

/** TCP, UDP, SCTP. */
const PORT_PROTOCOLS: ReadonlySet<number> = new Set([6, 17, 132]);

function commitTransport(
  flow: Int32Array,
  base: Int32Array,
  wildcards: Int32Array,
  actions: ActionList,
): void {
  if (!isIcmp(base) && !PORT_PROTOCOLS.has(nwProto(base))) return;
  if (isIcmp(base)) wildcards[TP] |= ICMP_BITS;
  const mask = isIcmp(base)
    ? ICMP_BITS
    : changed(TP, HIGH, flow, base, wildcards) | changed(TP, LOW, flow, base, wildcards);
  actions.push(SET_TP, flow[TP] & mask, mask);
  base[TP] = flow[TP];
}

function commitVlan(
  flow: Int32Array,
  base: Int32Array,
  wildcards: Int32Array,
  actions: ActionList,
): void {
  if (flow[VLAN_0] === base[VLAN_0] && flow[VLAN_1] === base[VLAN_1]) return;
  let has = tagCount(base) - 1;
  let wants = tagCount(flow) - 1;
  while (has >= 0 && wants >= 0 && base[VLAN_0 + has] === flow[VLAN_0 + wants]) {
    has--;
    wants--;
  }
  for (; has >= 0; has--) {
    actions.push(POP_VLAN);
    wildcards[VLAN_0 + has] = -1;
  }
  for (; wants >= 0; wants--) actions.push(PUSH_VLAN, flow[VLAN_0 + wants]);
  base[VLAN_0] = flow[VLAN_0];
  base[VLAN_1] = flow[VLAN_1];
}

function tagCount(flow: Int32Array): number {
  if ((flow[VLAN_0] & VLAN_CFI) === 0) return 0;
  return (flow[VLAN_1] & VLAN_CFI) === 0 ? 1 : 2;
}

function commitWord(
  word: number,
  op: number,
  flow: Int32Array,
  base: Int32Array,
  wildcards: Int32Array,
  actions: ActionList,
): void {
  wildcards[word] = -1;
  actions.push(op, flow[word]);
  base[word] = flow[word];
}
