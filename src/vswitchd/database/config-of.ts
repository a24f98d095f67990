/**
 * From the database's rows to the configuration that they ask for, and what is
 * wrong with them, row by row.
 *
 * What was read of a row is kept until its configuration changes, so that the
 * configuration after a small change shares all else with the one before, and
 * comparing the two costs next to nothing. Ports are read one by one (port-of.ts),
 * and put together in database-config.ts.
 */
import { isDeviceName, stationAddress } from '../../config/names.ts';
import type { Slices } from '../../lib/slices.ts';
import type { Row } from '../../ovsdb/database/row.ts';
import { isConfiguredAlike, readCell, type TableName } from './columns.ts';
import { Assembly, type DatabaseConfig } from './database-config.ts';
import { nameOf, type PortReading, readPort } from './port-of.ts';
import { HWADDR } from './tapflow-keys.ts';

/** A moment's rows, by UUID. */
export interface DatabaseRows {
  rows(table: TableName): ReadonlyMap<string, Row>;
}

/** What a `datapath_type` may be; a dummy is for a switch without devices. */
export const DATAPATH_TYPES: readonly string[] = ['netdev', 'system'];

/** @param datapathTypes what a bridge's may be, beside none */
export function configOf(
  rows: DatabaseRows,
  datapathTypes: readonly string[] = DATAPATH_TYPES,
): DatabaseConfig {
  return new ConfigReader(datapathTypes).read(rows);
}

export class ConfigReader {
  readonly #datapathTypes: readonly string[];
  /** By UUID, with the address that the bridge's own port had. */
  readonly #ports = new Map<string, { reading: PortReading; local: string | undefined }>();

  constructor(datapathTypes: readonly string[] = DATAPATH_TYPES) {
    this.#datapathTypes = datapathTypes;
  }

  read(rows: DatabaseRows): DatabaseConfig {
    for (const steps = this.#steps(rows); ; ) {
      const { done, value } = steps.next();
      if (done) return value;
    }
  }

  /** @param rows that stay as they are meanwhile */
  async readInSlices(rows: DatabaseRows, slices: Slices): Promise<DatabaseConfig> {
    for (const steps = this.#steps(rows); ; ) {
      const { done, value } = steps.next();
      if (done) return value;
      if (slices.isOver) await slices.pause();
    }
  }

  /** Port by port. */
  *#steps(rows: DatabaseRows): Generator<void, DatabaseConfig, undefined> {
    this.#forget(rows.rows('Port'));
    const [root] = rows.rows('Open_vSwitch').values();
    const bridges = bridgesOf(rows);
    const assembly = new Assembly(new Set(bridges.map(nameOf)));
    for (const bridge of bridges) {
      const local = localOf(bridge);
      const readings: PortReading[] = [];
      for (const port of referred(bridge, 'ports', rows.rows('Port'))) {
        readings.push(this.#port(port, rows, local));
        yield;
      }
      assembly.addBridge(bridge, readings, this.#obstacle(bridge));
      yield;
    }
    return assembly.result(root);
  }

  #forget(ports: ReadonlyMap<string, Row>): void {
    for (const uuid of this.#ports.keys()) if (!ports.has(uuid)) this.#ports.delete(uuid);
  }

  #port(port: Row, rows: DatabaseRows, local: LocalPort): PortReading {
    const interfaces = referred(port, 'interfaces', rows.rows('Interface'));
    const known = this.#ports.get(port.uuid);
    if (known !== undefined && isSame(known.reading.from, port, interfaces)) {
      if (known.local === local.hwaddr) return known.reading;
    }
    const reading =
      known !== undefined &&
      known.local === local.hwaddr &&
      isAlike(known.reading.from, port, interfaces)
        ? withRows(known.reading, port, interfaces)
        : readPort(port, interfaces, local);
    this.#ports.set(port.uuid, { reading, local: local.hwaddr });
    return reading;
  }

  /** Why nothing can be made of a bridge. */
  #obstacle(bridge: Row): string | undefined {
    const name = nameOf(bridge);
    if (!isDeviceName(name)) return `ignoring bridge with invalid name '${name}'`;
    const type = readCell('Bridge', bridge, 'datapath_type');
    if (type === '' || this.#datapathTypes.includes(type)) return undefined;
    return `failed to create bridge ${name}: Address family not supported by protocol`;
  }
}

interface LocalPort {
  name: string;
  hwaddr: string | undefined;
}

function localOf(bridge: Row): LocalPort {
  const hwaddr = readCell('Bridge', bridge, 'other_config').get(HWADDR);
  return { name: nameOf(bridge), hwaddr: hwaddr && stationAddress(hwaddr) };
}

/** In order of their names, so that the same rows always mean the same. */
function bridgesOf(rows: DatabaseRows): Row[] {
  const [root] = rows.rows('Open_vSwitch').values();
  return root === undefined ? [] : referred(root, 'bridges', rows.rows('Bridge')).sort(byName);
}

const byName = (a: Row, b: Row): number => (nameOf(a) < nameOf(b) ? -1 : 1);

function referred(row: Row, column: string, rows: ReadonlyMap<string, Row>): Row[] {
  const found = row.get(column).keys.map((uuid) => rows.get(String(uuid)));
  return found.filter((each) => each !== undefined);
}

const isSame = (from: readonly Row[], port: Row, interfaces: readonly Row[]): boolean =>
  from[0] === port &&
  from.length === interfaces.length + 1 &&
  interfaces.every((row, at) => row === from[at + 1]);

/** Whether nothing but status has changed. */
const isAlike = (from: readonly Row[], port: Row, interfaces: readonly Row[]): boolean =>
  from.length === interfaces.length + 1 &&
  isConfiguredAlike('Port', from[0], port) &&
  interfaces.every(
    (row, at) =>
      row.uuid === from[at + 1].uuid && isConfiguredAlike('Interface', row, from[at + 1]),
  );

/** What was read, of the rows as they are now. */
function withRows(reading: PortReading, port: Row, interfaces: readonly Row[]): PortReading {
  const now = new Map(interfaces.map((row) => [row.uuid, row]));
  return {
    ...reading,
    from: [port, ...interfaces],
    interfaces: reading.interfaces.map((each) => ({
      ...each,
      row: now.get(each.row.uuid) ?? each.row,
    })),
  };
}
