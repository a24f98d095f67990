/**
 * Whole frames from a record: what tests, benches and tools send. `buildFrame`
 * stacks the headers that the record names, in the order of the wire, with
 * sizes, types, next-header numbers and checksums right unless the record says
 * otherwise. The protocol modules beside this one know the bytes; this file
 * knows only what goes inside what.
 *
 *   buildFrame({ vlans: [{ vid: 10 }], ipv4: { dst: '10.0.0.9' }, udp: { dstPort: 53 }, payload: 20 })
 */
import * as arp from './arp.ts';
import { setU16 } from './bytes.ts';
import { pseudoSum4, pseudoSum6 } from './checksum.ts';
import * as ethernet from './ethernet.ts';
import * as icmp from './icmp.ts';
import * as icmpv6 from './icmpv6.ts';
import * as igmp from './igmp.ts';
import * as ipv4 from './ipv4.ts';
import * as ipv6 from './ipv6.ts';
import * as mpls from './mpls.ts';
import * as nsh from './nsh.ts';
import { PROTO_ICMP, PROTO_ICMPV6, PROTO_IGMP, PROTO_SCTP, PROTO_TCP, PROTO_UDP } from './proto.ts';
import * as sctp from './sctp.ts';
import * as tcp from './tcp.ts';
import * as udp from './udp.ts';
import * as vlan from './vlan.ts';

/** At most one network and one transport protocol; what is absent is left out. */
export interface FrameRecord {
  eth?: ethernet.EthernetHeader;
  /** Outermost first. */
  vlans?: readonly vlan.VlanTag[];
  /** By default that of the first protocol named below, or 0x88b5 (local experimental). */
  ethType?: number;
  /** An 802.3 length and LLC/SNAP headers in place of the type. */
  snap?: boolean;
  /** Outermost first. */
  mpls?: readonly mpls.MplsEntry[];
  nsh?: nsh.NshHeader;
  arp?: arp.ArpHeader;
  ipv4?: ipv4.Ipv4Header;
  ipv6?: ipv6.Ipv6Header;
  tcp?: tcp.TcpHeader;
  udp?: udp.UdpHeader;
  sctp?: sctp.SctpHeader;
  icmp?: icmp.IcmpHeader;
  icmpv6?: icmpv6.Icmpv6Header;
  igmp?: igmp.IgmpHeader;
  /** Bytes, or how many of a running pattern. */
  payload?: Uint8Array | number;
  /** Zero bytes are appended up to this size; 60 is Ethernet's least. 0 by default. */
  minSize?: number;
}

const ETH_TYPE_EXPERIMENTAL = 0x88b5;

export function buildFrame(record: FrameRecord): Uint8Array {
  const payload = payloadBytes(record.payload ?? 0);
  const l2Size = linkSize(record);
  const l4Size = transportSize(record) + payload.length;
  const size = l2Size + networkSize(record) + l4Size;
  const b = new Uint8Array(Math.max(size, record.minSize ?? 0));
  emitLink(b, record, size);
  const l4 = emitNetwork(b, l2Size, record, l4Size);
  b.set(payload, l4 + transportSize(record));
  emitTransport(b, l4, size, record, payload.length);
  if (!isFragment(record)) fillTransportChecksum(b, l2Size, l4, size, record);
  return b;
}

function payloadBytes(payload: Uint8Array | number): Uint8Array {
  return typeof payload === 'number' ? Uint8Array.from({ length: payload }, (_, i) => i) : payload;
}

function linkSize(record: FrameRecord): number {
  const tags = (record.vlans?.length ?? 0) * vlan.SIZE + (record.mpls?.length ?? 0) * mpls.SIZE;
  const snap = record.snap ? ethernet.LLC_SNAP_SIZE : 0;
  return ethernet.SIZE + tags + snap + (record.nsh ? nsh.emitSize(record.nsh) : 0);
}

function networkSize(record: FrameRecord): number {
  if (record.arp) return arp.SIZE;
  if (record.ipv4) return ipv4.SIZE + (record.ipv4.options?.length ?? 0);
  if (record.ipv6) return ipv6.SIZE + ipv6.extensionsSize(record.ipv6.extensions ?? []);
  return 0;
}

function transportSize(record: FrameRecord): number {
  if (record.tcp) return tcp.SIZE + (record.tcp.options?.length ?? 0);
  if (record.udp) return udp.SIZE;
  if (record.sctp) return sctp.SIZE;
  if (record.icmp) return icmp.SIZE;
  if (record.icmpv6) return icmpv6.emitSize(record.icmpv6);
  return record.igmp ? igmp.SIZE : 0;
}

function emitLink(b: Uint8Array, record: FrameRecord, size: number): void {
  let o = ethernet.emit(b, 0, record.eth ?? {});
  for (const tag of record.vlans ?? []) o = vlan.emit(b, o, tag);
  if (record.snap) {
    setU16(b, o, size - o - 2);
    o = ethernet.emitSnap(b, o + 2, ethType(record));
  } else {
    setU16(b, o, ethType(record));
    o += 2;
  }
  for (const [i, entry] of (record.mpls ?? []).entries()) {
    o = mpls.emit(b, o, entry, i + 1 === record.mpls?.length);
  }
  if (record.nsh) nsh.emit(b, o, record.nsh);
}

function ethType(record: FrameRecord): number {
  if (record.ethType !== undefined) return record.ethType;
  if (record.mpls?.length) return ethernet.TYPE_MPLS;
  if (record.nsh) return ethernet.TYPE_NSH;
  if (record.arp) return ethernet.TYPE_ARP;
  if (record.ipv4) return ethernet.TYPE_IPV4;
  return record.ipv6 ? ethernet.TYPE_IPV6 : ETH_TYPE_EXPERIMENTAL;
}

/** @returns the offset of the transport header */
function emitNetwork(b: Uint8Array, o: number, record: FrameRecord, payloadSize: number): number {
  const proto = transportProto(record);
  if (record.arp) return arp.emit(b, o, record.arp);
  if (record.ipv4) return ipv4.emit(b, o, { proto, ...record.ipv4 }, payloadSize);
  if (record.ipv6) return ipv6.emit(b, o, { proto, ...record.ipv6 }, payloadSize);
  return o;
}

function transportProto(record: FrameRecord): number | undefined {
  if (record.tcp) return PROTO_TCP;
  if (record.udp) return PROTO_UDP;
  if (record.sctp) return PROTO_SCTP;
  if (record.icmp) return PROTO_ICMP;
  if (record.icmpv6) return PROTO_ICMPV6;
  return record.igmp ? PROTO_IGMP : undefined;
}

function emitTransport(
  b: Uint8Array,
  o: number,
  end: number,
  record: FrameRecord,
  payloadSize: number,
): void {
  if (record.tcp) tcp.emit(b, o, record.tcp);
  else if (record.udp) udp.emit(b, o, record.udp, payloadSize);
  else if (record.sctp) {
    sctp.emit(b, o, record.sctp);
    sctp.fillChecksum(b, o, end);
  } else if (record.icmp) {
    icmp.emit(b, o, record.icmp);
    icmp.fillChecksum(b, o, end);
  } else if (record.icmpv6) icmpv6.emit(b, o, record.icmpv6);
  else if (record.igmp) {
    igmp.emit(b, o, record.igmp);
    igmp.fillChecksum(b, o, end);
  }
}

/** A fragment's transport checksum covers bytes that are not here. */
function isFragment(record: FrameRecord): boolean {
  const bits = ipv4.MORE_FRAGMENTS | ipv4.FRAGMENT_OFFSET_MASK;
  if (record.ipv4) return ((record.ipv4.fragment ?? 0) & bits) !== 0;
  const extensions = record.ipv6?.extensions ?? [];
  return extensions.some((ext) => (ext.fragment ?? 0) !== 0);
}

function fillTransportChecksum(
  b: Uint8Array,
  l3: number,
  l4: number,
  end: number,
  record: FrameRecord,
): void {
  const proto = transportProto(record) ?? 0;
  const pseudoSum = record.ipv6 ? pseudoSum6 : pseudoSum4;
  if (!record.ipv4 && !record.ipv6) return;
  const pseudo = pseudoSum(b, l3, proto, end - l4);
  if (record.tcp) tcp.fillChecksum(b, l4, end, pseudo);
  else if (record.udp && !record.udp.noChecksum) udp.fillChecksum(b, l4, end, pseudo);
  else if (record.icmpv6) icmpv6.fillChecksum(b, l4, end, pseudo);
}
