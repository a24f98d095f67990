/**
 * Bridges, ports and interfaces as users see them: with a bridge of its own
 * ("fake bridge") for each port that is declared to be one, to which the ports
 * of the parent with its VLAN's tag belong. Made from the rows of an edit; those
 * who change the edit change it along.
 */
import type { VlogModule } from '../../daemon/vlog-module.ts';
import type { Row } from '../../ovsdb/database/row.ts';
import type { Edit } from '../../ovsdb/replica/edit.ts';
import { VsctlError } from './failure.ts';
import type { Needs } from './needs.ts';
import { ROOT_TABLE } from './record-names.ts';

export interface Bridge {
  readonly name: string;
  /** Of the row in Bridge: its own, or for a fake bridge its parent's. */
  readonly row: string;
  readonly parent: Bridge | undefined;
  /** 0 for a real bridge. */
  readonly vlan: number;
  /** By VLAN. */
  readonly children: Map<number, Bridge>;
  readonly ports: Set<Port>;
}

export interface Port {
  readonly name: string;
  readonly row: string;
  readonly bridge: Bridge;
  readonly interfaces: Set<Interface>;
}

export interface Interface {
  readonly name: string;
  readonly row: string;
  readonly port: Port;
}

export class SwitchModel {
  readonly bridges = new Map<string, Bridge>();
  readonly ports = new Map<string, Port>();
  readonly interfaces = new Map<string, Interface>();
  readonly #edit: Edit;
  readonly #root: string;
  readonly #log: VlogModule;
  #hasVerified = false;

  constructor(edit: Edit, root: string, log: VlogModule) {
    this.#edit = edit;
    this.#root = root;
    this.#log = log;
    const rows = this.#references(ROOT_TABLE, root, 'bridges', 'Bridge');
    for (const row of rows) this.#readBridge(row);
    for (const row of rows) this.#readPorts(row);
  }

  /** What bridges and ports are made from. Without more, ports have no interfaces. */
  static need(needs: Needs): void {
    for (const [table, columns] of Object.entries(COLUMNS)) needs.add(table, ...columns);
  }

  /** For those who go by interfaces, of which large switches have as many as ports. */
  static needInterfaces(needs: Needs): void {
    SwitchModel.need(needs);
    needs.add('Port', 'interfaces');
    needs.add('Interface', 'name');
  }

  /** Whether a change of this column may change the model. */
  static has(table: string, column: string): boolean {
    return COLUMNS[table]?.includes(column) === true || INTERFACE_COLUMNS[table] === column;
  }

  /** @throws VsctlError */
  bridge(name: string): Bridge {
    const bridge = this.bridges.get(name);
    if (bridge === undefined) throw new VsctlError(`no bridge named ${name}`);
    this.#edit.verify(ROOT_TABLE, this.#root, 'bridges');
    return bridge;
  }

  /** @throws VsctlError */
  realBridge(name: string): Bridge {
    const bridge = this.bridge(name);
    if (bridge.parent !== undefined) throw new VsctlError(`${name} is a fake bridge`);
    return bridge;
  }

  /** Not the bridge's own. @throws VsctlError */
  port(name: string): Port {
    const port = this.findPort(name);
    if (port === undefined) throw new VsctlError(`no port named ${name}`);
    return port;
  }

  findPort(name: string): Port | undefined {
    const port = this.ports.get(name);
    return port?.bridge.name === name ? undefined : port;
  }

  /** Not the bridge's own. @throws VsctlError */
  interface(name: string): Interface {
    const found = this.findInterface(name);
    if (found === undefined) throw new VsctlError(`no interface named ${name}`);
    return found;
  }

  findInterface(name: string): Interface | undefined {
    const found = this.interfaces.get(name);
    return found?.port.bridge.name === name ? undefined : found;
  }

  /** @param doing what cannot be done if something has this name. @throws VsctlError */
  checkUnused(name: string, doing: string): void {
    this.verify();
    const port = this.ports.get(name);
    const bridge = (port ?? this.interfaces.get(name)?.port)?.bridge.name;
    if (this.bridges.has(name)) throw taken(doing, 'a bridge', name);
    if (port !== undefined) throw taken(doing, 'a port', name, bridge);
    if (this.interfaces.has(name)) throw taken(doing, 'an interface', name, bridge);
  }

  /**
   * Makes the transaction rely on there being no other bridges and ports than
   * these. That no two interfaces have the same name the database sees to.
   */
  verify(): void {
    if (this.#hasVerified) return;
    this.#hasVerified = true;
    this.#edit.verify(ROOT_TABLE, this.#root, 'bridges');
    for (const { row, parent } of this.bridges.values()) {
      if (parent === undefined) this.#edit.verify('Bridge', row, 'ports');
    }
  }

  addBridge(name: string, row: string, parent?: Bridge, vlan = 0): Bridge {
    const bridge: Bridge = { name, row, parent, vlan, children: new Map(), ports: new Set() };
    this.bridges.set(name, bridge);
    const other = parent?.children.get(vlan);
    if (other === undefined) parent?.children.set(vlan, bridge);
    else this.#log.warn(manyFor(vlan, String(parent?.name), name, other.name));
    return bridge;
  }

  addPort(name: string, row: string, bridge: Bridge): Port {
    const port: Port = { name, row, bridge, interfaces: new Set() };
    bridge.ports.add(port);
    this.ports.set(name, port);
    return port;
  }

  addInterface(name: string, row: string, port: Port): Interface {
    const added: Interface = { name, row, port };
    port.interfaces.add(added);
    this.interfaces.set(name, added);
    return added;
  }

  /** With the edit: the bridge, its children, and the ports of all of them. */
  deleteBridge(bridge: Bridge): void {
    for (const child of bridge.children.values()) this.deleteBridge(child);
    for (const port of bridge.ports) this.deletePort(port);
    this.bridges.delete(bridge.name);
    bridge.parent?.children.delete(bridge.vlan);
    if (bridge.parent !== undefined) return;
    this.#edit.mutate(ROOT_TABLE, this.#root, 'bridges', 'delete', { keys: [bridge.row] });
    this.#edit.remove('Bridge', bridge.row);
  }

  deletePort(port: Port): void {
    this.#edit.mutate('Bridge', port.bridge.row, 'ports', 'delete', { keys: [port.row] });
    for (const each of port.interfaces) this.#deleteInterfaceRow(each);
    this.#edit.remove('Port', port.row);
    port.bridge.ports.delete(port);
    this.ports.delete(port.name);
  }

  deleteInterface(deleted: Interface): void {
    const { port, row } = deleted;
    this.#edit.verify('Port', port.row, 'interfaces');
    this.#edit.mutate('Port', port.row, 'interfaces', 'delete', { keys: [row] });
    port.interfaces.delete(deleted);
    this.#deleteInterfaceRow(deleted);
  }

  #deleteInterfaceRow({ name, row }: Interface): void {
    this.#edit.remove('Interface', row);
    this.interfaces.delete(name);
  }

  #readBridge(row: Row): void {
    const name = textOf(row, 'name');
    if (this.bridges.has(name)) {
      this.#log.warn(`${name}: database contains duplicate bridge name`);
      return;
    }
    const bridge = this.addBridge(name, row.uuid);
    for (const port of this.#references('Bridge', row.uuid, 'ports', 'Port')) {
      const portName = textOf(port, 'name');
      const vlan = vlanOfFakeBridge(port);
      if (vlan === undefined || this.bridges.has(portName)) continue;
      this.addBridge(portName, row.uuid, bridge, vlan);
    }
  }

  #readPorts(row: Row): void {
    const bridge = this.bridges.get(textOf(row, 'name'));
    if (bridge === undefined || bridge.row !== row.uuid) return;
    for (const port of this.#references('Bridge', row.uuid, 'ports', 'Port')) {
      this.#readPort(port, bridge);
    }
  }

  #readPort(row: Row, parent: Bridge): void {
    const name = textOf(row, 'name');
    const other = this.ports.get(name);
    if (other?.row === row.uuid) {
      this.#log.warn(inMany('port', 'bridges', name, parent.name, other.bridge.name));
    } else if (other !== undefined) {
      this.#log.err(`${name}: database contains duplicate port name`);
    } else {
      const bridge = parent.children.get(tagOf(row) ?? NO_VLAN) ?? parent;
      const port = this.addPort(name, row.uuid, bridge);
      const rows = this.#references('Port', row.uuid, 'interfaces', 'Interface');
      for (const each of rows) this.#readInterface(each, port);
    }
  }

  #readInterface(row: Row, port: Port): void {
    const name = textOf(row, 'name');
    const other = this.interfaces.get(name);
    if (other?.row === row.uuid) {
      this.#log.warn(inMany('interface', 'ports', name, other.port.name, port.name));
    } else if (other !== undefined) {
      this.#log.err(`${name}: database contains duplicate interface name`);
    } else {
      this.addInterface(name, row.uuid, port);
    }
  }

  #references(table: string, uuid: string, column: string, target: string): Row[] {
    const { keys = [] } = this.#edit.get(table, uuid)?.get(column) ?? {};
    const rows = keys.map((key) => this.#edit.get(target, String(key)));
    return rows.filter((row) => row !== undefined);
  }
}

const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  [ROOT_TABLE]: ['bridges'],
  Bridge: ['name', 'ports'],
  Port: ['name', 'fake_bridge', 'tag'],
};

const INTERFACE_COLUMNS: Readonly<Record<string, string>> = {
  Port: 'interfaces',
  Interface: 'name',
};

const textOf = (row: Row, column: string): string => String(row.get(column).keys[0]);

function vlanOfFakeBridge(port: Row): number | undefined {
  return port.get('fake_bridge').keys[0] === true ? tagOf(port) : undefined;
}

function tagOf(port: Row): number | undefined {
  const [tag] = port.get('tag').keys;
  return typeof tag === 'number' && tag >= 0 && tag <= LARGEST_VLAN ? tag : undefined;
}

export const LARGEST_VLAN = 4095;
const NO_VLAN = -1;

function taken(doing: string, what: string, name: string, bridge?: string): VsctlError {
  const where = bridge === undefined ? '' : ` on bridge ${bridge}`;
  return new VsctlError(`${doing} because ${what} named ${name} already exists${where}`);
}

const manyFor = (vlan: number, parent: string, name: string, other: string): string =>
  `${parent}: bridge has multiple VLAN bridges (${name} and ${other}) for VLAN ${vlan}, but only one is allowed`;

const inMany = (what: string, where: string, name: string, a: string, b: string): string =>
  `${name}: ${what} is in multiple ${where} (${a} and ${b})`;
