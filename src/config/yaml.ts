/**
 * The YAML topology: text in, configuration out, or an error that lists all
 * that is wrong with line and column.
 *
 * The shape of each key's value is checked by the key tables (keys.ts); what
 * has to do with several keys or several ports is checked here.
 */
import type { Node } from 'yaml';
import {
  type BridgeFields,
  type Entry,
  INTERFACE_KEYS,
  type InterfaceFields,
  type PortFields,
  readEntry,
  TOPOLOGY_KEYS,
} from './keys.ts';
import type { PlacedFlow } from './shapes.ts';
import {
  type BridgeConfig,
  type Config,
  defaultVlanMode,
  type InterfaceConfig,
  type InterfaceType,
  type PortConfig,
} from './value.ts';
import { YamlSource } from './yaml-source.ts';

/**
 * What is wrong with a flow of a bridge, if anything. Flows are no business of
 * this folder, but where they stand is.
 *
 * @param ports names of the bridge's interfaces
 */
export type CheckFlow = (flow: string, ports: ReadonlySet<string>) => string | undefined;

/**
 * @param fileName what error messages call the text
 * @param checkFlow by default flows are not checked
 * @throws TapflowError BAD_CONFIG; its message has a line "file:line:column: message" for each problem
 */
export function parseTopology(
  text: string,
  fileName: string,
  checkFlow: CheckFlow = () => undefined,
): Config {
  const source = new YamlSource(text, fileName);
  const config = new TopologyReader(source, checkFlow).read();
  source.finish();
  return config;
}

class TopologyReader {
  readonly #source: YamlSource;
  readonly #checkFlow: CheckFlow;
  /** What has each name: names are shared by bridges, ports and interfaces. */
  readonly #owners = new Map<string, string>();

  constructor(source: YamlSource, checkFlow: CheckFlow) {
    this.#source = source;
    this.#checkFlow = checkFlow;
  }

  read(): Config {
    const { root } = this.#source;
    const entry = root && readEntry(this.#source, root, 'a topology', TOPOLOGY_KEYS);
    if (root === undefined || (entry !== undefined && !entry.nodes.has('bridges'))) {
      this.#source.problem(root, 'a topology needs the key bridges, a list of bridges');
    }
    const { bridges = [], other_config = {} } = entry?.fields ?? {};
    return { bridges: bridges.map((bridge) => this.#bridge(bridge)), otherConfig: other_config };
  }

  #bridge(entry: Entry<BridgeFields>): BridgeConfig {
    const { fields } = entry;
    const name = this.#name(entry, 'bridge');
    const ports = (fields.ports ?? []).map((port) => this.#port(port, name));
    this.#checkPortNumbers(fields.ports ?? []);
    return {
      name,
      datapathType: fields.datapath_type ?? '',
      failMode: fields.fail_mode ?? 'standalone',
      otherConfig: fields.other_config ?? {},
      ports,
      flows: this.#flows(fields.flows ?? [], ports),
    };
  }

  #flows(flows: readonly PlacedFlow[], ports: readonly PortConfig[]): string[] {
    const names = new Set(ports.flatMap((port) => port.interfaces.map(({ name }) => name)));
    return flows.map(({ flow, node, line }) => {
      const complaint = this.#checkFlow(flow, names);
      if (complaint !== undefined) {
        this.#source.problemInText(node, line, `flow "${flow}": ${complaint}`);
      }
      return flow;
    });
  }

  #port(entry: Entry<PortFields>, bridge: string): PortConfig {
    const { fields } = entry;
    const name = this.#name(entry, 'port', bridge);
    const trunks = [...new Set(fields.trunks)].sort((a, b) => a - b);
    const vlanMode = fields.vlan_mode ?? defaultVlanMode(fields.tag);
    if (vlanMode === 'trunk' && fields.tag !== undefined) {
      this.#problem(
        entry,
        'tag',
        `port "${name}": a trunk port has no tag; leave out tag or vlan_mode`,
      );
    }
    if (vlanMode === 'access' && trunks.length > 0) {
      const advice = 'leave out trunks, or say vlan_mode: native-untagged';
      this.#problem(entry, 'trunks', `port "${name}": an access port has no trunks; ${advice}`);
    }
    return {
      name,
      tag: fields.tag,
      trunks,
      vlanMode,
      otherConfig: fields.other_config ?? {},
      interfaces: this.#interfaces(entry, name, name === bridge ? 'internal' : 'system'),
    };
  }

  #interfaces(
    entry: Entry<PortFields>,
    port: string,
    defaultType: InterfaceType,
  ): InterfaceConfig[] {
    const { interfaces } = entry.fields;
    if (!entry.nodes.has('interfaces')) return [this.#interface(entry, port, defaultType)];
    for (const key of entry.nodes.keys()) {
      if (key === 'name' || !Object.hasOwn(INTERFACE_KEYS, key)) continue;
      this.#problem(entry, key, `port "${port}" lists its interfaces: write ${key} there`);
    }
    if (interfaces !== undefined && interfaces.length !== 1) {
      const count = `port "${port}" has ${interfaces.length} interfaces`;
      this.#problem(entry, 'interfaces', `${count}; it needs one: bonds are not supported`);
    }
    return (interfaces ?? []).map((iface) =>
      this.#interface(iface, this.#name(iface, 'interface', port), defaultType),
    );
  }

  #interface(
    entry: Entry<InterfaceFields>,
    name: string,
    defaultType: InterfaceType,
  ): InterfaceConfig {
    const iface = toInterface(name, entry.fields, defaultType);
    const isTypeBad = entry.nodes.has('type') && entry.fields.type === undefined;
    if (isTypeBad || iface.type === 'tap' || iface.type === 'internal') return iface;
    const advice = `an interface of type ${iface.type} takes none; did you forget type: tap?`;
    if (iface.netns !== undefined) {
      this.#problem(entry, 'netns', `netns of "${name}": ${advice}`);
    }
    if (iface.addresses.length > 0) {
      this.#problem(entry, 'addresses', `addresses of "${name}": ${advice}`);
    }
    return iface;
  }

  /** The entry's name, noted as taken. `parent`'s own name may be taken by one child. */
  #name(entry: Entry<{ name: string }>, what: string, parent?: string): string {
    const { name } = entry.fields;
    if (!entry.nodes.has('name')) this.#source.problem(entry.node, `this ${what} needs a name`);
    if (name === undefined) return '';
    const owner = this.#owners.get(name);
    const isParents = name === parent && owner !== `${what} "${name}"`;
    if (owner !== undefined && !isParents) {
      this.#problem(entry, 'name', `${what} "${name}": the name is taken by ${owner}`);
    }
    this.#owners.set(name, `${what} "${name}"`);
    return name;
  }

  #checkPortNumbers(ports: readonly Entry<PortFields>[]): void {
    const owners = new Map<number, string>();
    for (const entry of ports.flatMap((port) => [port, ...(port.fields.interfaces ?? [])])) {
      const { name, ofport_request: ofport } = entry.fields;
      if (ofport === undefined) continue;
      const owner = owners.get(ofport);
      if (owner !== undefined) {
        const message = `ofport_request ${ofport} is asked for by "${owner}" already`;
        this.#source.problem(entry.nodes.get('ofport_request'), message);
      }
      owners.set(ofport, name ?? '');
    }
  }

  #problem(entry: { node: Node; nodes: ReadonlyMap<string, Node> }, key: string, message: string) {
    this.#source.problem(entry.nodes.get(key) ?? entry.node, message);
  }
}

function toInterface(
  name: string,
  fields: Partial<InterfaceFields>,
  defaultType: InterfaceType,
): InterfaceConfig {
  return {
    name,
    type: fields.type || defaultType,
    ofportRequest: fields.ofport_request,
    mac: fields.mac,
    mtuRequest: fields.mtu_request,
    options: fields.options ?? {},
    netns: fields.netns,
    addresses: fields.addresses ?? [],
  };
}
