/**
 * A frame in one line for people, by the `print` of each protocol's module:
 * what a failing test or a log shows beside the bytes. It goes as deep as the
 * headers are whole, and says nothing of what it does not know.
 */
import * as arp from './arp.ts';
import { u16 } from './bytes.ts';
import * as ethernet from './ethernet.ts';
import * as icmp from './icmp.ts';
import * as icmpv6 from './icmpv6.ts';
import * as igmp from './igmp.ts';
import * as ipv4 from './ipv4.ts';
import * as ipv6 from './ipv6.ts';
import * as mpls from './mpls.ts';
import * as nsh from './nsh.ts';
import * as proto from './proto.ts';
import * as sctp from './sctp.ts';
import * as tcp from './tcp.ts';
import * as udp from './udp.ts';
import * as vlan from './vlan.ts';

/** "eth 02:... > 02:..., vlan 10 pcp 0, ipv4 10.0.0.1 > 10.0.0.2 ..., udp 1 > 53 length 8" */
export function describeFrame(frame: Uint8Array): string {
  const end = frame.length;
  if (!ethernet.check(frame, 0, end)) return `${end} bytes, too short for Ethernet`;
  const out = [ethernet.print(frame, 0)];
  let o = ethernet.TYPE;
  while (vlan.isTpid(u16(frame, o)) && end - o >= vlan.SIZE + 2) {
    out.push(vlan.print(frame, o));
    o += vlan.SIZE;
  }
  describeNetwork(out, frame, o + 2, u16(frame, o));
  return out.join(', ');
}

/** What every protocol's module has. */
interface Protocol {
  check(b: Uint8Array, o: number, end: number): boolean;
  print(b: Uint8Array, o: number): string;
}

const NETWORK: ReadonlyMap<number, Protocol> = new Map<number, Protocol>([
  [ethernet.TYPE_ARP, arp],
  [ethernet.TYPE_RARP, arp],
  [ethernet.TYPE_IPV4, ipv4],
  [ethernet.TYPE_IPV6, ipv6],
  [ethernet.TYPE_MPLS, mpls],
  [ethernet.TYPE_MPLS_MULTICAST, mpls],
  [ethernet.TYPE_NSH, nsh],
]);

const TRANSPORT: ReadonlyMap<number, Protocol> = new Map<number, Protocol>([
  [proto.PROTO_TCP, tcp],
  [proto.PROTO_UDP, udp],
  [proto.PROTO_SCTP, sctp],
  [proto.PROTO_ICMP, icmp],
  [proto.PROTO_ICMPV6, icmpv6],
  [proto.PROTO_IGMP, igmp],
]);

function describeNetwork(out: string[], b: Uint8Array, o: number, type: number): void {
  const network = NETWORK.get(type);
  if (!network?.check(b, o, b.length)) {
    out.push(`type 0x${type.toString(16).padStart(4, '0')}`);
    return;
  }
  out.push(network.print(b, o));
  if (network === ipv4) {
    const isLater = (ipv4.fragment(b, o) & ipv4.FRAGMENT_OFFSET_MASK) !== 0;
    if (!isLater) describeTransport(out, b, o + ipv4.headerLength(b, o), ipv4.proto(b, o));
  } else if (network === ipv6) {
    describeTransport(out, b, o + ipv6.SIZE, ipv6.nextHeader(b, o));
  }
}

function describeTransport(out: string[], b: Uint8Array, o: number, number: number): void {
  const transport = TRANSPORT.get(number);
  if (transport?.check(b, o, b.length)) out.push(transport.print(b, o));
}
