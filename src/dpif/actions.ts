/**
 * Datapath actions: what a megaflow tells a worker to do, as 32-bit words.
 *
 * An action list is a run of words in an Int32Array. Each action begins with
 * `op | size << 8`, size being its length in words with this one. Arguments
 * use the flow key's packing (flow/key.ts), so a set action's value and mask
 * are copied straight from the translated flow. An empty list drops.
 *
 * Masked sets change only the bits whose mask bit is 1. The slow path writes
 * these lists with the `put*` functions, workers execute them
 * (datapath/actions/), format-actions.ts prints them as `ovs-dpctl` does.
 */

/** port */
export const OUTPUT = 1;
/** reason (UPCALL_*), cookie (the slow path's own number), maximal bytes of the frame */
export const USERSPACE = 2;
/** value[3], mask[3], as MAC_0..2 */
export const SET_ETH = 3;
/** src, mask, dst, mask, (tos << 8 | ttl), mask */
export const SET_IPV4 = 4;
/** src[4], mask[4], dst[4], mask[4], label, mask, (tos << 8 | ttl), mask */
export const SET_IPV6 = 5;
/** (tp_src << 16 | tp_dst), mask: TCP, UDP, SCTP ports; ICMP type and code */
export const SET_TP = 6;
/** op, mask, spa, mask, tpa, mask, value[3], mask[3] as ARP_0..2 */
export const SET_ARP = 7;
/** target[4], mask[4], value[3], mask[3] as ARP_0..2 (sll, tll) */
export const SET_ND = 8;
/** TPID << 16 | TCI (with the CFI bit) */
export const PUSH_VLAN = 9;
export const POP_VLAN = 10;
/** value: skb_priority of what follows */
export const SET_PRIORITY = 11;
/** value: pkt_mark of what follows */
export const SET_MARK = 12;
/** maximal bytes (Ethernet header on): shortens the frame for the next output only */
export const TRUNC = 13;
/** reason (a DROP_* number of drops.ts): counts the drop; nothing may follow */
export const DROP = 14;

export const opOf = (word: number): number => word & 0xff;
export const sizeOf = (word: number): number => word >>> 8;
export const header = (op: number, size: number): number => op | (size << 8);

/**
 * A growing action list, for the slow path. Not for workers: `push` may
 * allocate.
 */
export class ActionList {
  words: Int32Array = new Int32Array(64);
  /** Words in use. */
  length = 0;

  clear(): void {
    this.length = 0;
  }

  /** Appends one action: its op and its arguments, in the order listed above. */
  push(op: number, ...args: number[]): void {
    const size = 1 + args.length;
    if (this.length + size > this.words.length) {
      const grown = new Int32Array(this.words.length * 2 + size);
      grown.set(this.words);
      this.words = grown;
    }
    this.words[this.length] = header(op, size);
    this.words.set(args, this.length + 1);
    this.length += size;
  }

  /** A copy of the words in use. */
  toArray(): Int32Array {
    return this.words.slice(0, this.length);
  }
}
