/**
 * The keys of a topology file: for each, what it takes and what it means. The
 * one table that parsing, error messages and the reference page come from.
 *
 * Keys and meanings are the columns of ovs-vswitchd.conf.db(5), except where a
 * key says otherwise.
 */
import type { Node } from 'yaml';
import {
  choice,
  deviceName,
  flowTexts,
  integer,
  interfaceAddress,
  listOf,
  namespaceName,
  type PlacedFlow,
  readPairs,
  type Shape,
  stationMac,
  suggestion,
  text,
  textMap,
} from './shapes.ts';
import {
  FAIL_MODES,
  type FailMode,
  INTERFACE_TYPES,
  type InterfaceType,
  VLAN_MODES,
  type VlanMode,
} from './value.ts';
import { describeNode, type YamlSource } from './yaml-source.ts';

interface Key<T> {
  readonly shape: Shape<T>;
  /** One or two sentences for the reference page. */
  readonly doc: string;
}

/** A key for each field of a record. */
export type KeyTable<Fields> = { readonly [Name in keyof Fields]: Key<Fields[Name]> };

/** A map of the file that a table describes: its fields, and where they stand. */
export interface Entry<Fields> {
  readonly node: Node;
  /** Those that were given and have the shape they should. */
  readonly fields: Partial<Fields>;
  /** The node of each key that was given. */
  readonly nodes: ReadonlyMap<string, Node>;
}

export interface InterfaceFields {
  name: string;
  type: InterfaceType | '';
  ofport_request: number;
  mac: string;
  mtu_request: number;
  options: Record<string, string>;
  netns: string;
  addresses: string[];
}

export const INTERFACE_KEYS: KeyTable<InterfaceFields> = {
  name: {
    shape: deviceName,
    doc: 'Name of the device and of the OpenFlow port. Unique in the whole file.',
  },
  type: {
    shape: choice([...INTERFACE_TYPES, '']),
    doc: 'tap: a new TAP device. internal: likewise, for the host itself. system, the default: a device that exists, by packet socket, even if it is a TAP. dummy: no device; for tests.',
  },
  ofport_request: {
    shape: integer(1, 65279),
    doc: 'OpenFlow port number wanted. By default the lowest one free.',
  },
  mac: { shape: stationMac, doc: 'MAC address of the device. By default the one it has.' },
  mtu_request: {
    shape: integer(68, 65535),
    doc: 'MTU of the device in bytes. By default the one it has.',
  },
  options: { shape: textMap, doc: 'Options of the interface type.' },
  netns: {
    shape: namespaceName,
    doc: 'Network namespace to put a tap or internal device in, made if there is none. Not a column of Open vSwitch.',
  },
  addresses: {
    shape: listOf(interfaceAddress),
    doc: 'Addresses to give to a tap or internal device, with prefix length. Not a column of Open vSwitch.',
  },
};

export interface PortFields extends InterfaceFields {
  tag: number;
  trunks: number[];
  vlan_mode: VlanMode;
  other_config: Record<string, string>;
  interfaces: Entry<InterfaceFields>[];
}

const PORT_KEYS: KeyTable<PortFields> = {
  ...INTERFACE_KEYS,
  tag: { shape: integer(0, 4095), doc: 'VLAN of an access port, native VLAN of a native one.' },
  trunks: {
    shape: listOf(integer(0, 4095)),
    doc: 'VLANs that a trunk or native port carries. By default all.',
  },
  vlan_mode: {
    shape: choice(VLAN_MODES),
    doc: 'By default access for a port with a tag, trunk for others.',
  },
  other_config: { shape: textMap, doc: 'Further settings, such as priority-tags.' },
  interfaces: {
    shape: entriesOf('an interface', INTERFACE_KEYS),
    doc: "The port's interface, where its name is not the port's. Otherwise write its keys beside the port's own.",
  },
};

export interface BridgeFields {
  name: string;
  datapath_type: string;
  fail_mode: FailMode;
  other_config: Record<string, string>;
  ports: Entry<PortFields>[];
  flows: PlacedFlow[];
}

const BRIDGE_KEYS: KeyTable<BridgeFields> = {
  name: {
    shape: deviceName,
    doc: "Name of the bridge. A port of the same name is the bridge's own: OpenFlow port LOCAL, of type internal by default.",
  },
  datapath_type: { shape: text, doc: 'Taken and kept, but there is one datapath: netdev.' },
  fail_mode: {
    shape: choice(FAIL_MODES),
    doc: 'standalone, the default: forwards like any switch until flows say otherwise. secure: forwards nothing but what flows say.',
  },
  other_config: { shape: textMap, doc: 'Further settings, such as mac-aging-time.' },
  ports: { shape: entriesOf('a port', PORT_KEYS), doc: 'The ports.' },
  flows: {
    shape: flowTexts,
    doc: "Flows in ovs-ofctl's syntax, a list or a block of text with one a line.",
  },
};

export interface TopologyFields {
  bridges: Entry<BridgeFields>[];
  other_config: Record<string, string>;
}

export const TOPOLOGY_KEYS: KeyTable<TopologyFields> = {
  bridges: { shape: entriesOf('a bridge', BRIDGE_KEYS), doc: 'The bridges.' },
  other_config: {
    shape: textMap,
    doc: 'Settings of the whole switch, such as flow-limit and max-idle.',
  },
};

/** Reads a map by its table. What is wrong is noted; undefined only if it is no map. */
export function readEntry<Fields>(
  source: YamlSource,
  node: Node,
  what: string,
  table: KeyTable<Fields>,
): Entry<Fields> | undefined {
  const pairs = readPairs(source, node);
  if (pairs === undefined) {
    const got = describeNode(source.resolve(node));
    source.problem(node, `expected ${what}, a map of ${Object.keys(table).join(', ')}; got ${got}`);
    return undefined;
  }
  const fields: Partial<Fields> = {};
  const nodes = new Map<string, Node>();
  for (const [name, value] of pairs) {
    if (isKeyOf(table, name)) {
      nodes.set(name, value);
      fields[name] = table[name].shape.read(source, value, name);
    } else source.problem(value, unknownKey(name, what, Object.keys(table)));
  }
  return { node, fields, nodes };
}

/** A list of maps that a table describes. */
function entriesOf<Fields>(what: string, table: KeyTable<Fields>): Shape<Entry<Fields>[]> {
  return listOf({
    takes: what,
    read: (source, node) => readEntry(source, node, what, table),
  });
}

function isKeyOf<Fields>(
  table: KeyTable<Fields>,
  name: string,
): name is Extract<keyof Fields, string> {
  return Object.hasOwn(table, name);
}

function unknownKey(name: string, what: string, known: readonly string[]): string {
  const hint = suggestion(name, known) || `; known are ${known.join(', ')}`;
  return `${what} has no key ${JSON.stringify(name)}${hint}`;
}
