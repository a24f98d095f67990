/**
 * What the parts of the slow path share: the datapath below, the clock, which
 * bridge's port each datapath port is, what has changed.
 */
import type { Dpif } from '../dpif/dpif.ts';
import type { Clock } from '../lib/clock.ts';
import type { SlowPathOptions } from './api.ts';
import type { BridgeState } from './bridge-state.ts';
import { Changes } from './changes.ts';
import { PacketIns } from './packet-ins.ts';
import { Translator } from './translate.ts';

export interface PortOwner {
  bridge: BridgeState;
  ofport: number;
}

export class SwitchState {
  readonly dpif: Dpif;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  readonly packetIns: PacketIns;
  readonly translator: Translator;
  readonly changes: Changes;
  /** To be called when something may be due that was not: see Revalidator. */
  readonly hasWork: () => void;
  readonly bridges: BridgeState[] = [];
  /** By datapath port number. */
  readonly owners = new Map<number, PortOwner>();
  /** Megaflows at most. */
  flowLimit = 200_000;
  /** Milliseconds that a megaflow may stay without traffic. */
  maxIdle = 10_000;
  upcalls = 0;

  constructor(
    { dpif, clock, log = () => {} }: SlowPathOptions,
    { changed, hasWork }: { changed: () => void; hasWork: () => void },
  ) {
    this.dpif = dpif;
    this.clock = clock;
    this.log = log;
    this.hasWork = hasWork;
    this.packetIns = new PacketIns(hasWork);
    this.translator = new Translator(this.packetIns);
    this.changes = new Changes(changed);
  }
}
