/**
 * OpenFlow actions as plain records, as ovs-actions(7) names them.
 *
 * parse-actions.ts makes them from text, format-actions.ts prints them,
 * ofproto/translate.ts carries them out. Everything a packet's translation
 * needs is worked out at parse time: a `set_field` knows which words of a flow
 * it writes, `drop` is the empty list.
 */
import type { Field } from '../flow/fields.ts';

/** In `resubmit`: the table at hand. */
export const TABLE_CURRENT = 0xff;
export const MAX_LEN_WHOLE = 0xffff;

/** Bits to write in one word of a flow; value bits outside the mask are 0. */
export interface WordWrite {
  word: number;
  value: number;
  mask: number;
}

/** `NXM_NX_REG0[4..7]`: bits [start, start + bits) of a field, bit 0 the lowest. */
export interface Subfield {
  field: Field;
  start: number;
  bits: number;
}

export interface Output {
  kind: 'output';
  port: number;
  /** Bytes; the whole frame where absent. */
  maxLen?: number;
}
interface OutputRegister {
  kind: 'output_register';
  source: Subfield;
}
export type PacketInReason = 'action' | 'no_match' | 'invalid_ttl';
export interface Controller {
  kind: 'controller';
  maxLen: number;
  reason: PacketInReason;
  id: number;
}
export interface Resubmit {
  kind: 'resubmit';
  /** OFPP_IN_PORT: the packet's. */
  port: number;
  table: number;
}
interface GotoTable {
  kind: 'goto_table';
  table: number;
}
export interface SetField {
  kind: 'set_field';
  /** How it was written: `set_field`, `load`, or the `mod_*` action's name. */
  form: string;
  field: Field;
  value: bigint;
  mask: bigint;
  /** Of `load`: the bits it names. */
  target?: Subfield;
  writes: readonly WordWrite[];
}
export interface Move {
  kind: 'move';
  source: Subfield;
  target: Subfield;
}
export interface SetVlanVid {
  kind: 'set_vlan_vid';
  vid: number;
  /** Whether an untagged packet gets a tag (`mod_vlan_vid`) or stays as it is. */
  push: boolean;
}
export interface SetVlanPcp {
  kind: 'set_vlan_pcp';
  pcp: number;
  push: boolean;
}
interface PushVlan {
  kind: 'push_vlan';
  tpid: number;
}
interface PopVlan {
  kind: 'pop_vlan';
  form: 'pop_vlan' | 'strip_vlan';
}
interface DecTtl {
  kind: 'dec_ttl';
  /** Controllers told when the TTL ends; written out unless it is just controller 0. */
  ids: readonly number[];
}
interface Exit {
  kind: 'exit';
}

export type Action =
  | Output
  | OutputRegister
  | Controller
  | Resubmit
  | GotoTable
  | SetField
  | Move
  | SetVlanVid
  | SetVlanPcp
  | PushVlan
  | PopVlan
  | DecTtl
  | Exit;
