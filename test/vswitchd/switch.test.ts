import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseTopology } from '../../src/config/yaml.ts';
import { SimulatedDatapath } from '../../src/datapath/simulated.ts';
import type { DpifEvent, PortInfo, PortSpec } from '../../src/dpif/dpif.ts';
import { ManualClock } from '../../src/lib/clock.ts';
import { TapflowError } from '../../src/lib/error.ts';
import { createSlowPath } from '../../src/ofproto/slow-path.ts';
import type { Namespaces } from '../../src/vswitchd/namespaces.ts';
import { type ApplyReport, Switch } from '../../src/vswitchd/switch.ts';

/** Of all devices that are there. */
const IFINDEX = 7;

/** A datapath that tells what was asked of it, and fails on demand. */
class RecordingDatapath extends SimulatedDatapath {
  readonly calls: string[] = [];
  readonly broken = new Set<string>();
  readonly gone = new Set<string>();
  readonly warnings = new Map<string, string>();
  report: (event: DpifEvent) => void = () => undefined;

  override onEvent(listener: (event: DpifEvent) => void): void {
    this.report = listener;
  }

  override portInfo(portNo: number): PortInfo | undefined {
    const info = super.portInfo(portNo);
    if (info === undefined) return undefined;
    const { name } = info.spec;
    const warning = this.warnings.get(name);
    return {
      ...info,
      ifindex: this.gone.has(name) ? 0 : IFINDEX,
      warnings: warning === undefined ? [] : [warning],
    };
  }

  override portAdd(spec: PortSpec) {
    this.calls.push(`add ${spec.name}`);
    if (this.broken.has(spec.name)) throw new TapflowError('EBUSY', `${spec.name}: broken`);
    return { ...super.portAdd({ ...spec, type: 'dummy' }), ifindex: IFINDEX };
  }

  override portDel(portNo: number): void {
    this.calls.push(`del ${this.portInfo(portNo)?.spec.name}`);
    super.portDel(portNo);
  }

  override portSet(portNo: number, change: { mac?: string; mtu?: number }) {
    this.calls.push(`set ${this.portInfo(portNo)?.spec.name}`);
    if (change.mtu === 9999) throw new TapflowError('EINVAL', 'mtu 9999: refused');
    return super.portSet(portNo, change);
  }
}

class RecordingNamespaces implements Namespaces {
  readonly existing = new Set<string>();

  async ensure(name: string): Promise<void> {
    if (name === 'forbidden') throw new TapflowError('NETNS', 'forbidden: not permitted');
    this.existing.add(name);
  }

  async prune(wanted: ReadonlySet<string>): Promise<string[]> {
    const surplus = [...this.existing].filter((name) => !wanted.has(name));
    for (const name of surplus) this.existing.delete(name);
    return surplus;
  }
}

let dpif: RecordingDatapath;
let namespaces: RecordingNamespaces;
let sw: Switch;

beforeEach(() => {
  const clock = new ManualClock();
  dpif = new RecordingDatapath({ clock });
  namespaces = new RecordingNamespaces();
  sw = new Switch({ dpif, slowPath: createSlowPath({ dpif, clock }), namespaces });
});
afterEach(() => sw.close());

const apply = (yaml: string): Promise<ApplyReport> => sw.apply(parseTopology(yaml, 'test.yaml'));

const bridge = (ports: string[], more = ''): string => `
bridges:
  - name: br0
    ports: [${ports.map((port) => `{ type: tap, ${port} }`).join(', ')}]
    ${more}`;

const flowsOf = (name: string): string[] =>
  sw
    .bridge(name)
    .dumpFlows()
    .map(({ text }) => text.replace(/.*idle_age=\d+, /, ''));

describe('applying a configuration', () => {
  it('says in plain words what it did', async () => {
    expect(await apply(bridge(['name: p1', 'name: p2'], 'flows: ["ip,actions=drop"]'))).toEqual({
      changes: [
        'bridge br0 added',
        'port p1 added to bridge br0',
        'port p2 added to bridge br0',
        'flows of bridge br0 changed',
      ],
      warnings: [],
      errors: [],
    });
    expect(await apply('bridges: []')).toMatchObject({
      changes: [
        'port p1 removed from bridge br0',
        'port p2 removed from bridge br0',
        'bridge br0 removed',
      ],
    });
    expect(sw.ports.all()).toEqual([]);
  });

  it('touches nothing when nothing changed', async () => {
    const yaml = bridge(['name: p1', 'name: p2, tag: 3']);
    await apply(yaml);
    dpif.calls.length = 0;
    expect(await apply(yaml)).toEqual({ changes: [], warnings: [], errors: [] });
    expect(dpif.calls).toEqual([]);
  });

  it('changes VLANs without touching the device, and the MTU without reopening it', async () => {
    await apply(bridge(['name: p1', 'name: p2']));
    dpif.calls.length = 0;
    await apply(bridge(['name: p1, tag: 7', 'name: p2']));
    expect(dpif.calls).toEqual([]);
    await apply(bridge(['name: p1, tag: 7, mtu_request: 1400', 'name: p2']));
    expect(dpif.calls).toEqual(['set p1']);
    expect(dpif.portInfo(1)?.mtu).toBe(1400);
  });

  it('reopens a device that is to be in another namespace', async () => {
    await apply(bridge(['name: p1, netns: n1']));
    dpif.calls.length = 0;
    const { changes } = await apply(bridge(['name: p1, netns: n2']));
    expect(dpif.calls).toEqual(['del p1', 'add p1']);
    expect(changes).toContain('namespace n1 removed');
    expect([...namespaces.existing]).toEqual(['n2']);
  });

  it("gives the port that has its bridge's name the number of LOCAL", async () => {
    await apply(bridge(['name: br0', 'name: p1, ofport_request: 7', 'name: p2']));
    expect(sw.ports.all().map(({ name, ofport }) => [name, ofport])).toEqual([
      ['br0', 65534],
      ['p1', 7],
      ['p2', 1],
    ]);
  });
});

describe('warnings', () => {
  it('come from the devices of ports that are added or become another, once', async () => {
    dpif.warnings.set('p1', 'p1 has an address').set('p2', 'p2 has an address');
    const first = await apply(bridge(['name: p1', 'name: p2', 'name: p3']));
    expect(first.warnings).toEqual(['p1 has an address', 'p2 has an address']);
    const second = await apply(`
bridges:
  - name: br0
    ports: [{ name: p1, type: system }, { name: p2, type: tap, tag: 3 }]`);
    expect(second.warnings).toEqual(['p1 has an address']);
  });

  it('name the settings that have no effect', async () => {
    const { warnings, errors } = await apply(`
other_config: { max-idel: 1000, flow-limit: 1000 }
bridges:
  - name: br0
    other_config: { stp-enable: true, forward-bpdu: true }`);
    expect(errors).toEqual([]);
    expect(warnings).toEqual([
      'other_config:max-idel has no effect; known are flow-limit, max-idle, vlan-limit',
      'bridge br0: other_config:stp-enable has no effect; known are mac-aging-time, mac-table-size, forward-bpdu',
    ]);
  });
});

describe('a port whose device fails', () => {
  const yaml = bridge(['name: p1', 'name: p2']);
  const portNo = (name: string): number => sw.ports.get(name)?.portNo ?? 0;
  const reopened = [
    'port p1 closed on bridge br0: its device had failed',
    'port p1 added to bridge br0',
  ];

  it('is opened again by the next apply, under its number', async () => {
    await apply(yaml);
    dpif.report({ kind: 'port-failed', portNo: portNo('p1'), reason: 'unplugged' });
    expect(sw.errors.get('p1')).toBe('unplugged');
    dpif.calls.length = 0;
    expect(await apply(yaml)).toEqual({ changes: reopened, warnings: [], errors: [] });
    expect(dpif.calls).toEqual(['del p1', 'add p1']);
    expect(sw.ports.get('p1')?.ofport).toBe(1);
    expect(sw.errors.size).toBe(0);
    expect(await apply(yaml)).toMatchObject({ changes: [] });
  });

  it('is opened again as well when nobody noticed', async () => {
    await apply(yaml);
    dpif.gone.add('p1');
    expect(await apply(yaml)).toMatchObject({ changes: reopened });
  });

  it('is closed with an error when it cannot be opened, and tried again', async () => {
    await apply(yaml);
    dpif.report({ kind: 'port-failed', portNo: portNo('p1'), reason: 'unplugged' });
    dpif.broken.add('p1');
    const broken = { errors: [{ item: 'p1', message: 'p1: broken' }] };
    expect(await apply(yaml)).toMatchObject({ ...broken, changes: reopened.slice(0, 1) });
    expect(await apply(yaml)).toMatchObject({ ...broken, changes: [] });
    dpif.broken.clear();
    expect(await apply(yaml)).toMatchObject({ changes: reopened.slice(1), errors: [] });
  });

  it('is closed when the configuration has it no more', async () => {
    await apply(yaml);
    dpif.report({ kind: 'port-failed', portNo: portNo('p1'), reason: 'unplugged' });
    expect(await apply(bridge(['name: p2']))).toMatchObject({ changes: reopened.slice(0, 1) });
    expect(sw.ports.all().map(({ name }) => name)).toEqual(['p2']);
  });
});

describe('what fails', () => {
  it('is kept as the error of its interface, and the rest goes on', async () => {
    dpif.broken.add('p1');
    const { changes, errors } = await apply(bridge(['name: p1', 'name: p2']));
    expect(errors).toEqual([{ item: 'p1', message: 'p1: broken' }]);
    expect(changes).toContain('port p2 added to bridge br0');
    expect(sw.errors.get('p1')).toBe('p1: broken');
    expect(sw.bridge('br0').portByName('p1')).toBeUndefined();
  });

  it('is tried again by the next apply, and forgotten when it works', async () => {
    const yaml = bridge(['name: p1']);
    dpif.broken.add('p1');
    await apply(yaml);
    expect(await apply(yaml)).toMatchObject({ errors: [{ item: 'p1' }] });
    dpif.broken.clear();
    expect(await apply(yaml)).toMatchObject({
      changes: ['port p1 added to bridge br0'],
      errors: [],
    });
    expect(sw.errors.size).toBe(0);
  });

  it('leaves the port as it was when a change is refused', async () => {
    await apply(bridge(['name: p1, tag: 1']));
    const refused = bridge(['name: p1, tag: 2, mtu_request: 9999']);
    expect(await apply(refused)).toMatchObject({ errors: [{ item: 'p1' }] });
    expect(dpif.portInfo(1)?.mtu).toBe(1500);
    expect(sw.bridge('br0').trace('in_port=1')).toContain('in_port=1');
    // It is still to be done, so it fails again.
    expect(await apply(refused)).toMatchObject({ errors: [{ item: 'p1' }] });
  });

  it('brings the old port back when the new one does not open', async () => {
    await apply(bridge(['name: p1, netns: n1']));
    const report = await apply(bridge(['name: p1, netns: forbidden']));
    expect(report.errors).toEqual([{ item: 'p1', message: 'forbidden: not permitted' }]);
    expect(sw.ports.get('p1')).toBeDefined();
  });

  it('is named for a bond, which is not supported', async () => {
    const [br0] = parseTopology(bridge(['name: p1']), 'test.yaml').bridges;
    const [port] = br0.ports;
    const bond = {
      ...port,
      interfaces: [...port.interfaces, { ...port.interfaces[0], name: 'p2' }],
    };
    const { errors } = await sw.apply({ bridges: [{ ...br0, ports: [bond] }], otherConfig: {} });
    expect(errors[0].message).toMatch(/port "p1" has 2 interfaces: bonds are not supported/);
  });

  it('is named for settings that make no sense, and the bridge is not half made', async () => {
    const report = await apply(bridge([], 'other_config: { mac-aging-time: "soon" }'));
    expect(report.errors).toEqual([
      {
        item: 'br0',
        message:
          'other_config:mac-aging-time is "soon": a number of seconds from 15 to 3600 was expected',
      },
    ]);
    expect(sw.slowPath.bridges()).toEqual([]);
  });
});

describe('flows of a configuration', () => {
  it('stand beside the flow that standalone mode gives', async () => {
    await apply(bridge([], 'flows: ["priority=5,ip,actions=drop"]'));
    expect(flowsOf('br0')).toEqual(['priority=5,ip actions=drop', 'priority=0 actions=NORMAL']);
  });

  it('may replace that flow, which comes back when they do not any more', async () => {
    await apply(bridge([], 'flows: ["priority=0,actions=drop"]'));
    expect(flowsOf('br0')).toEqual(['priority=0 actions=drop']);
    await apply(bridge([], 'flows: ["priority=5,ip,actions=drop"]'));
    expect(flowsOf('br0')).toEqual(['priority=5,ip actions=drop', 'priority=0 actions=NORMAL']);
  });

  it('are all there is in secure mode', async () => {
    await apply(bridge([], 'fail_mode: secure\n    flows: ["priority=5,ip,actions=drop"]'));
    expect(flowsOf('br0')).toEqual(['priority=5,ip actions=drop']);
  });

  it('that stay keep their counters, and those added by hand stay', async () => {
    const flows = (last: string) =>
      bridge(['name: p1'], `flows: ["priority=9,udp,actions=drop", "${last}"]`);
    await apply(flows('priority=5,ip,actions=drop'));
    sw.bridge('br0').addFlow('priority=7,arp,actions=drop');
    const frame = Uint8Array.from(
      Buffer.from('0200000000020200000000010800450000140000000040110000', 'hex'),
    );
    dpif.inject(new Uint8Array([...frame, 10, 0, 0, 1, 10, 0, 0, 2]), 1);
    await apply(flows('priority=5,tcp,actions=drop'));
    await sw.slowPath.revalidate();
    expect(flowsOf('br0')).toEqual([
      'priority=9,udp actions=drop',
      'priority=7,arp actions=drop',
      'priority=5,tcp actions=drop',
      'priority=0 actions=NORMAL',
    ]);
    expect(sw.bridge('br0').dumpFlows('udp')[0].packets).toBe(1);
  });

  it('are applied all or none', async () => {
    await apply(bridge([], 'flows: ["priority=5,ip,actions=drop"]'));
    const before = flowsOf('br0');
    const report = await apply(
      bridge([], 'flows: ["priority=6,ip,actions=drop", "priority=7,in_prt=1,actions=drop"]'),
    );
    expect(report.errors[0]).toMatchObject({ item: 'br0' });
    expect(report.errors[0].message).toContain('in_prt');
    expect(flowsOf('br0')).toEqual(before);
  });
});
