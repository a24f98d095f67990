/**
 * A bridge's OpenFlow ports: numbers, names, VLAN configuration.
 *
 * Kept in the order they were added, which is the order of flooding.
 */

import { OFPP_LOCAL } from '../flow/ports.ts';
import { TapflowError } from '../lib/error.ts';
import type { BridgePortSpec, VlanMode } from './api.ts';

/** Numbers from here on are reserved. */
const OFPP_MAX = 0xff00;

export type PortChange = Partial<Omit<BridgePortSpec, 'name' | 'portNo' | 'ofport'>>;

export interface OfPort {
  /** What it was made from. */
  spec: BridgePortSpec;
  readonly name: string;
  readonly ofport: number;
  readonly portNo: number;
  vlanMode: VlanMode;
  /** Access or native VLAN. */
  tag: number;
  /** VLANs carried, the native one included; undefined: all. */
  trunks: ReadonlySet<number> | undefined;
  priorityTags: 'never' | 'if-nonzero' | 'always';
  flood: boolean;
}

export class OfPorts {
  readonly #byNumber = new Map<number, OfPort>();
  readonly #byName = new Map<string, OfPort>();

  add(spec: BridgePortSpec): OfPort {
    if (this.#byName.has(spec.name)) {
      throw new TapflowError(
        'EEXIST',
        `port "${spec.name}" is on the bridge already: remove it first`,
      );
    }
    const port = newPort(spec, this.#numberFor(spec.ofport));
    this.#byNumber.set(port.ofport, port);
    this.#byName.set(port.name, port);
    return port;
  }

  /** @throws TapflowError when there is no such port */
  set(ofport: number, change: PortChange): OfPort {
    const port = this.#byNumber.get(ofport);
    if (port === undefined) throw noPort(ofport);
    Object.assign(port, newPort({ ...port.spec, ...change }, ofport));
    return port;
  }

  remove(ofport: number): OfPort {
    const port = this.#byNumber.get(ofport);
    if (port === undefined) throw noPort(ofport);
    this.#byNumber.delete(ofport);
    this.#byName.delete(port.name);
    return port;
  }

  get(ofport: number): OfPort | undefined {
    return this.#byNumber.get(ofport);
  }

  byName(name: string): OfPort | undefined {
    return this.#byName.get(name);
  }

  [Symbol.iterator](): IterableIterator<OfPort> {
    return this.#byNumber.values();
  }

  #numberFor(wanted: number | undefined): number {
    if (wanted === OFPP_LOCAL && !this.#byNumber.has(OFPP_LOCAL)) return wanted;
    if (wanted !== undefined && wanted > 0 && wanted < OFPP_MAX && !this.#byNumber.has(wanted)) {
      return wanted;
    }
    for (let number = 1; number < OFPP_MAX; number++) {
      if (!this.#byNumber.has(number)) return number;
    }
    throw new TapflowError(
      'ENOSPC',
      `a bridge has at most ${OFPP_MAX - 1} ports: remove one first`,
    );
  }
}

function newPort(spec: BridgePortSpec, ofport: number): OfPort {
  const tag = checkVlan(spec.tag ?? 0, spec.name);
  return {
    spec,
    name: spec.name,
    ofport,
    portNo: spec.portNo,
    vlanMode: spec.vlanMode,
    tag,
    trunks: trunksOf(spec, tag),
    priorityTags: spec.priorityTags ?? 'never',
    flood: spec.flood,
  };
}

function trunksOf(spec: BridgePortSpec, tag: number): ReadonlySet<number> | undefined {
  if (spec.trunks === undefined || spec.trunks.length === 0) return undefined;
  const trunks = new Set(spec.trunks.map((vlan) => checkVlan(vlan, spec.name)));
  if (spec.vlanMode === 'native-tagged' || spec.vlanMode === 'native-untagged') trunks.add(tag);
  return trunks;
}

function checkVlan(vlan: number, port: string): number {
  if (Number.isInteger(vlan) && vlan >= 0 && vlan <= 0xfff) return vlan;
  throw new TapflowError('BAD_VLAN', `port "${port}": ${vlan} is not a VLAN: use 0 to 4095`);
}

function noPort(ofport: number): TapflowError {
  return new TapflowError('ENOENT', `there is no port ${ofport} on the bridge`);
}
