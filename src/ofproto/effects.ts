/**
 * What a translation does besides its datapath actions, as records. A
 * megaflow keeps them: when its statistics show that packets passed, they are
 * done again on those packets' behalf (`replay`), so that cached traffic keeps
 * rules' counters true and learned addresses alive.
 */
import type { Mac, MacTable } from './mac-table.ts';
import type { OfPorts } from './ports.ts';
import type { Rule } from './rule.ts';

/** NORMAL saw the source address `mac` in `vlan` on `ofport`. */
interface MacSeen {
  macs: MacTable;
  ports: OfPorts;
  mac: Mac;
  vlan: number;
  ofport: number;
}

export interface Effects {
  /** Rules whose actions were carried out; one twice if it was resubmitted to. */
  rules: Rule[];
  macsSeen: MacSeen[];
  /** Tags (mac-table.ts) of the addresses looked up or learned. */
  macTags: number[];
  /** Cookies of controller actions (packet-ins.ts). */
  packetIns: number[];
}

export const newEffects = (): Effects => ({
  rules: [],
  macsSeen: [],
  macTags: [],
  packetIns: [],
});

export function clearEffects(effects: Effects): void {
  effects.rules.length = 0;
  effects.macsSeen.length = 0;
  effects.macTags.length = 0;
  effects.packetIns.length = 0;
}

export const copyEffects = (effects: Effects): Effects => ({
  rules: effects.rules.slice(),
  macsSeen: effects.macsSeen.slice(),
  macTags: effects.macTags.slice(),
  packetIns: effects.packetIns.slice(),
});

/** @param used milliseconds of the clock: when the last of the packets passed */
export function replay(effects: Effects, packets: number, bytes: number, used: number): void {
  for (const rule of effects.rules) rule.credit(packets, bytes, used);
  for (const seen of effects.macsSeen) {
    if (seen.ports.get(seen.ofport) !== undefined) {
      seen.macs.refresh(seen.mac, seen.vlan, seen.ofport, used);
    }
  }
}
