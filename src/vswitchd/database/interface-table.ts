/**
 * The interfaces as the database is told about them: for each row the device
 * behind it, as it was when last looked at, and the cells that say so.
 *
 * Looking at a device takes system calls, so it is done when something may have
 * happened to it: it was opened or configured, or the kernel told of a change.
 */
import type { PortInfo, PortStats } from '../../dpif/dpif.ts';
import { TapflowError } from '../../lib/error.ts';
import { type LinkDriver, type LinkEvent, native } from '../../native.ts';
import type { Switch } from '../switch.ts';
import type { SwitchPort } from '../switch-ports.ts';
import type { Cells } from './cells.ts';
import type { InterfaceRow } from './database-config.ts';
import { cannotOpen } from './interface-of.ts';
import { closedCells, openCells, statisticsCell } from './interface-status.ts';

export interface KnownInterface {
  readonly uuid: string;
  /** As configured. */
  wanted: InterfaceRow;
  /** The device in use, and how it was when last looked at. */
  port: SwitchPort | undefined;
  info: PortInfo | undefined;
  driver: LinkDriver | undefined;
  problem: string | undefined;
  /** How often its link was seen to change. */
  linkResets: number;
  cells: Cells;
  /** The cells with counters, of when they came to this total. */
  counted: { total: number; base: Cells; cells: Cells } | undefined;
}

export class InterfaceTable {
  readonly #switch: Switch;
  readonly #byName = new Map<string, KnownInterface>();
  readonly #byIfindex = new Map<number, string>();

  constructor(sw: Switch) {
    this.#switch = sw;
  }

  all(): Iterable<KnownInterface> {
    return this.#byName.values();
  }

  names(): Iterable<string> {
    return this.#byName.keys();
  }

  get(name: string): KnownInterface | undefined {
    return this.#byName.get(name);
  }

  /** The one whose device has, or had, this index. */
  byIfindex(ifindex: number): KnownInterface | undefined {
    return this.#byName.get(this.#byIfindex.get(ifindex) ?? '');
  }

  /** Forgets those that are not wanted any more. */
  keep(names: ReadonlySet<string>): void {
    for (const [name, { info }] of this.#byName) {
      if (names.has(name)) continue;
      this.#byName.delete(name);
      if (info !== undefined) this.#byIfindex.delete(info.ifindex);
    }
  }

  /** Looks at the device if it was opened or configured anew. @returns false when it is gone already */
  update(wanted: InterfaceRow): boolean {
    const { name, row } = wanted;
    const known = this.#byName.get(name);
    const port = this.#portOf(wanted);
    if (known?.port === port && known?.wanted.port === wanted.port && known?.uuid === row.uuid) {
      known.wanted = wanted;
      if (this.#problemOf(known) !== known.problem) this.#fill(known);
      return true;
    }
    const linkResets = known?.port === port ? (known?.linkResets ?? 0) : 0;
    const added = { ...UNSEEN, uuid: row.uuid, wanted, port, linkResets };
    this.#byName.set(name, added);
    return this.refresh(added);
  }

  /** Looks at the device. @returns false when it is gone */
  refresh(known: KnownInterface): boolean {
    const before = known.info;
    const { port } = known;
    known.info = port && this.#switch.dpif.portInfo(port.portNo);
    if (before !== undefined && before.linkUp !== known.info?.linkUp) known.linkResets++;
    known.driver = known.info && driverOf(known.info);
    const { ifindex = 0 } = known.info ?? {};
    if (ifindex !== 0) this.#byIfindex.set(ifindex, known.wanted.name);
    this.#fill(known);
    return port === undefined || port.ifindex === 0 || ifindex !== 0;
  }

  /** What is wrong with any, one line each. */
  problems(): string[] {
    return [...this.#byName.values()].flatMap(({ problem }) => problem ?? []);
  }

  /** Its cells with its counters as of now: the same object as long as nothing has been counted. */
  cellsWithStatistics(known: KnownInterface): Cells {
    const { port, cells } = known;
    if (port === undefined) return cells;
    const stats = this.#switch.dpif.portStats(port.portNo);
    const total = totalOf(stats);
    if (known.counted?.total !== total || known.counted.base !== cells) {
      const counted = { ...cells, statistics: statisticsCell(stats) };
      known.counted = { total, base: cells, cells: counted };
    }
    return known.counted.cells;
  }

  #portOf({ name, port, bridge }: InterfaceRow): SwitchPort | undefined {
    const open = port === undefined ? undefined : this.#switch.ports.get(name);
    return open?.bridge === bridge ? open : undefined;
  }

  #fill(known: KnownInterface): void {
    const { port, info, driver, linkResets } = known;
    const problem = this.#problemOf(known);
    known.problem = problem;
    known.cells =
      port === undefined || info === undefined
        ? closedCells(problem)
        : openCells({ ofport: port.ofport, info, driver, linkResets, problem });
  }

  /** What is wrong with the row, or went wrong with it, in Open vSwitch's words where it has any. */
  #problemOf({ port, wanted: { name, problem } }: KnownInterface): string | undefined {
    if (problem !== undefined) return problem;
    const cause = this.#switch.causes.get(name);
    const isSystems = cause instanceof TapflowError && /^E[A-Z]+$/.test(cause.code);
    if (port === undefined && isSystems) return cannotOpen(name, cause.code);
    return this.#switch.errors.get(name);
  }
}

/** Counters never go back, so they are the same when their sum is. */
const totalOf = ({ rxPackets, rxBytes, txPackets, txBytes, drops }: PortStats): number =>
  drops.reduce((sum, count) => sum + count, rxPackets + rxBytes + txPackets + txBytes);

const UNSEEN = {
  counted: undefined,
  info: undefined,
  driver: undefined,
  problem: undefined,
  cells: {},
};

/** Whether an event tells nothing new, as most do that we cause ourselves. */
export function isKnown({ info }: KnownInterface, event: LinkEvent): boolean {
  return (
    !event.gone &&
    info?.ifindex === event.ifindex &&
    info.spec.name === event.name &&
    info.mac === event.mac &&
    info.mtu === event.mtu &&
    info.adminUp === event.up &&
    info.linkUp === event.running
  );
}

/** Of a device in our namespace, or a TAP, which has but one driver. */
function driverOf({ spec, ifindex }: PortInfo): LinkDriver | undefined {
  if (ifindex === 0) return undefined;
  try {
    return native().linkDriver(spec.name);
  } catch {
    return spec.type === 'system' ? undefined : TAP_DRIVER;
  }
}

/** As the kernel's module tun tells it. */
const TAP_DRIVER: LinkDriver = {
  driver: 'tun',
  version: '1.6',
  firmware: '',
  speed: 10_000,
  duplex: 1,
};
