/**
 * What rows are to hold, all of them, in the order in which they are written:
 * interfaces, bridges, datapaths, and last the one that says which
 * configuration is in force.
 */
import type { Row } from '../../ovsdb/database/row.ts';
import type { Switch } from '../switch.ts';
import { bridgeAddress, bridgeCells } from './bridge-status.ts';
import { type Cells, scalar } from './cells.ts';
import { readCell, type TableName } from './columns.ts';
import type { DatabaseConfig } from './database-config.ts';
import type { InterfaceTable } from './interface-table.ts';
import type { WantedRow } from './status-writer.ts';
import { capabilityCells, systemCells } from './system-status.ts';

export interface StatusSources {
  wanted: DatabaseConfig;
  interfaces: InterfaceTable;
  switch: Switch;
  datapathTypes: readonly string[];
  /** The `next_cfg` that is in force. */
  inForce: number | bigint | undefined;
  /** Whether all counters are due, or only those that were never written. */
  statistics: boolean;
  /** As it is in the replica now. */
  row(table: TableName, uuid: string): Row | undefined;
}

export function* statusRows(sources: StatusSources): Generator<WantedRow, void, undefined> {
  const { wanted } = sources;
  if (wanted.root === undefined) return;
  yield* interfaceRows(sources);
  for (const bridge of wanted.bridges) {
    const cells = cellsOfBridge(bridge, sources.switch);
    yield { row: sources.row('Bridge', bridge.row.uuid), cells };
  }
  const root = sources.row('Open_vSwitch', wanted.root.uuid);
  if (root !== undefined) yield* systemRows(root, sources);
}

function* interfaceRows(sources: StatusSources): Generator<WantedRow, void, undefined> {
  const { interfaces, statistics } = sources;
  for (const known of interfaces.all()) {
    const row = sources.row('Interface', known.uuid);
    const isDue = statistics || row?.get('statistics').keys.length === 0;
    yield { row, cells: isDue ? interfaces.cellsWithStatistics(known) : known.cells };
  }
}

function* systemRows(root: Row, sources: StatusSources): Generator<WantedRow, void, undefined> {
  const { datapathTypes, inForce } = sources;
  for (const [type, uuid] of readCell('Open_vSwitch', root, 'datapaths')) {
    if (!datapathTypes.includes(type)) continue;
    yield { row: sources.row('Datapath', uuid), cells: capabilityCells() };
  }
  const curCfg: Cells = inForce === undefined ? {} : { cur_cfg: scalar(inForce) };
  yield { row: root, cells: { ...systemCells(root, datapathTypes), ...curCfg } };
}

function cellsOfBridge(
  { row, name, otherConfig }: DatabaseConfig['bridges'][number],
  sw: Switch,
): Cells {
  const local = sw.ports.get(name);
  const info = local && sw.dpif.portInfo(local.portNo);
  return bridgeCells(otherConfig, info?.mac ?? bridgeAddress(row.uuid, otherConfig, []));
}
