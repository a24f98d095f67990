/**
 * The configuration that the database asks for, with the rows that it comes
 * from, being put together bridge by bridge: names that clash and what is used
 * twice are found here.
 */
import { stationAddress } from '../../config/names.ts';
import type { BridgeConfig, Config, PortConfig } from '../../config/value.ts';
import type { Row } from '../../ovsdb/database/row.ts';
import { settingProblems } from '../settings.ts';
import { readCell } from './columns.ts';
import { nameOf, type PortReading } from './port-of.ts';
import {
  FLOWS,
  HWADDR,
  LOCAL_PORT_KEY,
  listOf,
  NO_LOCAL_PORT,
  type TextMap,
  without,
} from './tapflow-keys.ts';

export interface InterfaceRow {
  readonly row: Row;
  readonly name: string;
  readonly bridge: string;
  /** Undefined where no device can be made. */
  readonly port: PortConfig | undefined;
  readonly problem: string | undefined;
}

export interface DatabaseConfig {
  readonly config: Config;
  /** The row of table Open_vSwitch; undefined in an empty database. */
  readonly root: Row | undefined;
  readonly bridges: readonly { row: Row; name: string; otherConfig: TextMap }[];
  /** All of them, each with what is wrong with it. */
  readonly interfaces: readonly InterfaceRow[];
  /** Of what no column can tell: one line each, for the log. */
  readonly warnings: readonly string[];
}

export class Assembly {
  readonly #bridgeNames: ReadonlySet<string>;
  readonly #configs: BridgeConfig[] = [];
  readonly #bridges: { row: Row; name: string; otherConfig: TextMap }[] = [];
  readonly #interfaces: InterfaceRow[] = [];
  readonly #warnings: string[] = [];
  /** Rows of ports and interfaces that a bridge has. */
  readonly #taken = new Set<Row>();

  constructor(bridgeNames: ReadonlySet<string>) {
    this.#bridgeNames = bridgeNames;
  }

  addBridge(row: Row, ports: readonly PortReading[], obstacle: string | undefined): void {
    const name = nameOf(row);
    const otherConfig = Object.fromEntries(readCell('Bridge', row, 'other_config'));
    if (obstacle !== undefined) this.#warnings.push(obstacle);
    else this.#bridges.push({ row, name, otherConfig });
    const usable = ports.filter((port) => this.#take(name, port, obstacle));
    if (obstacle !== undefined) return;
    const configs = usable.flatMap(({ config }) => config ?? []).sort(byWish);
    this.#configs.push({
      name,
      datapathType: readCell('Bridge', row, 'datapath_type'),
      failMode: readCell('Bridge', row, 'fail_mode') ?? 'standalone',
      otherConfig: this.#settings(`bridge ${name}: `, otherConfig, BRIDGE_KEYS),
      ports: hasLocal(otherConfig, usable, name)
        ? configs
        : [localPort(name, stationAddress(otherConfig[HWADDR] ?? '')), ...configs],
      flows: listOf(otherConfig[FLOWS], '\n'),
    });
  }

  result(root: Row | undefined): DatabaseConfig {
    const all = root && Object.fromEntries(readCell('Open_vSwitch', root, 'other_config'));
    const otherConfig = this.#settings('', all ?? {}, SWITCH_KEYS);
    return {
      config: { bridges: this.#configs, otherConfig },
      root,
      bridges: this.#bridges,
      interfaces: this.#interfaces,
      warnings: this.#warnings,
    };
  }

  /** Without the keys that are read here, and those that are bad, which have their default. */
  #settings(where: string, otherConfig: TextMap, readHere: readonly string[]): TextMap {
    const problems = settingProblems(otherConfig);
    for (const problem of problems.values()) this.#warnings.push(where + problem);
    return without(otherConfig, ...readHere, ...problems.keys());
  }

  /** @returns whether the bridge has the port */
  #take(bridge: string, port: PortReading, obstacle: string | undefined): boolean {
    const owned = port.from.find((row) => this.#taken.has(row));
    if (owned !== undefined) {
      // Its row tells how it is where it is in use.
      this.#warnings.push(`bridge ${bridge}: ${nameOf(owned)} is used twice`);
      return false;
    }
    for (const row of port.from) this.#taken.add(row);
    const clash = port.interfaces.find(({ reading }) => this.#isOtherBridge(reading.name, bridge));
    const clashProblem = clash && nameClash(clash.reading.name);
    for (const { row, reading } of port.interfaces) {
      const problem = obstacle ?? clashProblem ?? reading.problem;
      const isOpened = reading.config !== undefined && (obstacle ?? clashProblem) === undefined;
      const { name } = reading;
      this.#interfaces.push({
        row,
        name,
        bridge,
        port: isOpened ? port.config : undefined,
        problem,
      });
    }
    return clash === undefined;
  }

  #isOtherBridge(name: string, bridge: string): boolean {
    return name !== bridge && this.#bridgeNames.has(name);
  }
}

const nameClash = (name: string): string =>
  `could not add network device ${name} to ofproto (File exists)`;

/** Those that want a number, or have one, get theirs before others take it. */
function byWish(a: PortConfig, b: PortConfig): number {
  const wish = ({ interfaces: [iface] }: PortConfig) =>
    iface?.ofportRequest === undefined ? 1 : 0;
  return wish(a) - wish(b) || (a.name < b.name ? -1 : 1);
}

function hasLocal(otherConfig: TextMap, ports: readonly PortReading[], bridge: string): boolean {
  if (otherConfig[LOCAL_PORT_KEY] === NO_LOCAL_PORT) return true;
  return ports.some(({ interfaces }) => interfaces.some(({ reading }) => reading.name === bridge));
}

/** A bridge has a device of its own, whether or not there is a row for it. */
function localPort(name: string, mac: string | undefined): PortConfig {
  return {
    name,
    trunks: [],
    vlanMode: 'trunk',
    otherConfig: {},
    interfaces: [{ name, type: 'internal', mac, options: {}, addresses: [] }],
  };
}

/** Keys of other_config that the database's side of vswitchd reads itself. */
const BRIDGE_KEYS: readonly string[] = [FLOWS, LOCAL_PORT_KEY, HWADDR, 'datapath-id'];
const SWITCH_KEYS: readonly string[] = ['stats-update-interval'];
