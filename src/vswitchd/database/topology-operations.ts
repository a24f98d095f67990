/**
 * From a configuration, such as a topology file's, to the changes that make the
 * database ask for just that: config-of.ts backwards. Rows are known by their
 * names; what the configuration has no word for (external_ids, status,
 * controllers) stays as it is in rows that stay, and what is not in the
 * configuration goes. Where the schema has no column, keys of other_config
 * stand in: tapflow-keys.ts lists them.
 */
import {
  type BridgeConfig,
  type Config,
  defaultVlanMode,
  type InterfaceConfig,
  type PortConfig,
} from '../../config/value.ts';
import type { Datum } from '../../ovsdb/data/datum.ts';
import type { Edit } from '../../ovsdb/replica/edit.ts';
import { type Cells, map, NOTHING, optional, scalar, stringSet } from './cells.ts';
import { nameOf } from './port-of.ts';
import { ADDRESSES, FLOWS, HWADDR, LOCAL_PORT_KEY, NETNS, NO_LOCAL_PORT } from './tapflow-keys.ts';

/** Changes nothing when the database asks for that already. */
export function editTopology(config: Config, edit: Edit): void {
  const [root] = edit.rows('Open_vSwitch');
  const rows = new TopologyRows(edit);
  const cells = {
    bridges: references(config.bridges.map((bridge) => rows.bridge(bridge))),
    other_config: map(config.otherConfig),
  };
  if (root === undefined) edit.insert('Open_vSwitch', cells);
  else set(edit, 'Open_vSwitch', root.uuid, cells);
}

class TopologyRows {
  readonly #edit: Edit;
  /** By table and name. */
  readonly #known = new Map<string, string>();

  constructor(edit: Edit) {
    this.#edit = edit;
    for (const table of ['Bridge', 'Port', 'Interface']) {
      for (const row of edit.rows(table)) this.#known.set(`${table} ${nameOf(row)}`, row.uuid);
    }
  }

  /** @returns the row's UUID */
  bridge(config: BridgeConfig): string {
    return this.#row('Bridge', config.name, {
      ports: references(config.ports.map((port) => this.#port(port, config.name))),
      datapath_type: scalar(config.datapathType),
      fail_mode: optional(config.failMode === 'standalone' ? undefined : config.failMode),
      other_config: map(bridgeSettings(config)),
    });
  }

  #port(config: PortConfig, bridge: string): string {
    const { name, tag, trunks, vlanMode, interfaces } = config;
    return this.#row('Port', name, {
      interfaces: references(interfaces.map((iface) => this.#interface(iface, bridge))),
      tag: optional(tag),
      trunks: { keys: trunks.toSorted((a, b) => a - b), values: undefined },
      vlan_mode: optional(vlanMode === defaultVlanMode(tag) ? undefined : vlanMode),
      other_config: map(config.otherConfig),
    });
  }

  #interface(config: InterfaceConfig, bridge: string): string {
    const { name, type, mac, mtuRequest, ofportRequest, options } = config;
    const isLocal = name === bridge;
    return this.#row('Interface', name, {
      type: scalar(type === 'system' && !isLocal ? '' : type),
      mac: optional(isLocal ? undefined : mac),
      mtu_request: optional(mtuRequest),
      ofport_request: optional(ofportRequest),
      options: map(options),
      other_config: map(placeSettings(config)),
    });
  }

  #row(table: string, name: string, cells: Cells): string {
    const uuid = this.#known.get(`${table} ${name}`);
    if (uuid === undefined) return this.#edit.insert(table, { name: scalar(name), ...cells });
    set(this.#edit, table, uuid, cells);
    return uuid;
  }
}

function set(edit: Edit, table: string, uuid: string, cells: Cells): void {
  for (const [column, datum] of Object.entries(cells)) edit.set(table, uuid, column, datum);
}

function bridgeSettings({ name, otherConfig, ports, flows }: BridgeConfig): Record<string, string> {
  const local = ports.flatMap(({ interfaces }) => interfaces).find((iface) => iface.name === name);
  return {
    ...otherConfig,
    // A flow is one line, wherever the file breaks it.
    ...(flows.length > 0 && {
      [FLOWS]: flows.map((flow) => flow.replace(/\s*\n\s*/g, ' ')).join('\n'),
    }),
    ...(local === undefined && { [LOCAL_PORT_KEY]: NO_LOCAL_PORT }),
    ...(local?.mac !== undefined && { [HWADDR]: local.mac }),
  };
}

function placeSettings({ netns, addresses }: InterfaceConfig): Record<string, string> {
  return {
    ...(netns !== undefined && { [NETNS]: netns }),
    ...(addresses.length > 0 && { [ADDRESSES]: addresses.join(',') }),
  };
}

const references = (uuids: readonly string[]): Datum =>
  uuids.length === 0 ? NOTHING : stringSet(uuids);
