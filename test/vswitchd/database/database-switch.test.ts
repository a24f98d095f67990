import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SimulatedDatapath } from '../../../src/datapath/simulated.ts';
import type { PortInfo, PortSpec } from '../../../src/dpif/dpif.ts';
import { ManualClock } from '../../../src/lib/clock.ts';
import { TapflowError } from '../../../src/lib/error.ts';
import { isObject, type JsonObject } from '../../../src/lib/json.ts';
import type { LinkEvent } from '../../../src/native.ts';
import { createSlowPath } from '../../../src/ofproto/slow-path.ts';
import { DatabaseSwitch } from '../../../src/vswitchd/database/database-switch.ts';
import { noNamespaces } from '../../../src/vswitchd/namespaces.ts';
import { Switch } from '../../../src/vswitchd/switch.ts';
import { bridgeOperations, MemoryReplica, mapJson } from './memory-replica.ts';

/** Devices that exist when `host` has them, with an index and a state. */
class HostDatapath extends SimulatedDatapath {
  readonly host = new Map<string, { ifindex: number; up: boolean; mac?: string }>();
  readonly opened: string[] = [];

  override portAdd(spec: PortSpec): PortInfo {
    this.opened.push(spec.name);
    const device = this.host.get(spec.name);
    if (spec.type === 'system' && device === undefined) {
      throw new TapflowError('ENODEV', `port ${spec.name}: there is no such interface`);
    }
    return this.#asNow({ ...super.portAdd({ ...spec, type: 'dummy' }), spec });
  }

  override portInfo(portNo: number): PortInfo | undefined {
    const info = super.portInfo(portNo);
    return info && this.#asNow(info);
  }

  #asNow(info: PortInfo): PortInfo {
    const { name } = info.spec;
    const device = this.host.get(name);
    if (device !== undefined) {
      const { ifindex, up, mac = info.mac } = device;
      const spec = { ...info.spec, type: 'system' } as const;
      return { ...info, spec, ifindex, mac, adminUp: up, linkUp: up };
    }
    // A device that is not the host's is a dummy, or one that has been taken away.
    const isGone = name.startsWith('eth');
    return { ...info, ifindex: 0, adminUp: !isGone, linkUp: !isGone };
  }
}

let clock: ManualClock;
let dpif: HostDatapath;
let sw: Switch;
let replica: MemoryReplica;
let database: DatabaseSwitch;
let logged: string[];

beforeEach(() => {
  clock = new ManualClock();
  dpif = new HostDatapath({ clock });
  logged = [];
  replica = new MemoryReplica();
  sw = new Switch({
    ...{ dpif, slowPath: createSlowPath({ dpif, clock }), namespaces: noNamespaces },
    previousOfport: (name) => database.previousOfport(name),
    onPortFailed: () => database.portFailed(),
  });
  const log = (line: string) => void logged.push(line);
  database = new DatabaseSwitch({
    ...{ switch: sw, replica, clock, datapathTypes: ['netdev', 'system'] },
    log: { info: log, warn: log, err: log },
  });
  replica.changed = (changes) => database.changed(changes);
});
afterEach(async () => {
  await database.close();
  await sw.close();
});

/** Until nothing is under way any more: a turn takes a few passes of the event loop. */
const settled = (): Promise<void> => delay(30);

async function configure(...args: Parameters<typeof bridgeOperations>): Promise<void> {
  replica.change(...bridgeOperations(...args));
  await settled();
}

/** A cell as the test writes it. */
function cell(name: string, column: string): unknown {
  const { keys, values } = replica.row('Interface', name).get(column);
  if (values === undefined) return keys.length === 0 ? undefined : keys[0];
  return Object.fromEntries(keys.map((key, at) => [key, values[at]]));
}

const update = (table: string, name: string, row: JsonObject) =>
  replica.change({ op: 'update', table, where: [['name', '==', name]], row });

const rootCell = (column: string) => replica.root.get(column).keys;

const link = (name: string, ifindex: number, more: Partial<LinkEvent> = {}): LinkEvent => ({
  ...{ name, ifindex, mac: '02:00:00:00:00:01', mtu: 1500, up: true, running: true, gone: false },
  ...more,
});

const dummy = { interfaces: { p1: { type: 'dummy' } } };

describe('a switch on a database', () => {
  it('becomes what the database says, and says that it has', async () => {
    await configure({ br0: { ports: { p1: dummy } } }, { next_cfg: 5 });
    await database.configured;
    expect(sw.ports.all().map(({ name }) => name)).toEqual(['br0', 'p1']);
    expect(rootCell('cur_cfg')).toEqual([5]);
    expect(cell('p1', 'ofport')).toBe(1);
    expect(cell('p1', 'error')).toBeUndefined();
    expect(cell('p1', 'admin_state')).toBe('up');
    expect(cell('p1', 'link_state')).toBe('up');
    expect(cell('p1', 'link_resets')).toBe(0);
    expect(cell('p1', 'mtu')).toBe(1500);
    expect(cell('p1', 'ifindex')).toBe(0);
    expect(cell('p1', 'statistics')).toMatchObject({ rx_packets: 0, tx_bytes: 0 });
    expect(rootCell('ovs_version')).toEqual(['3.1.0']);
    expect(rootCell('iface_types')).toEqual(['dummy', 'internal', 'system', 'tap']);
    expect(rootCell('datapath_types')).toEqual(['netdev', 'system']);
    expect(replica.row('Bridge', 'br0').get('datapath_version').keys).toEqual(['<built-in>']);
  });

  it('writes only what differs, and cur_cfg in the last transaction', async () => {
    await configure({ br0: { ports: { p1: dummy } } });
    replica.written.length = 0;
    update('Port', 'p1', { tag: 3 });
    replica.change({ op: 'update', table: 'Open_vSwitch', where: [], row: { next_cfg: 1 } });
    await settled();
    const where = [['_uuid', '==', ['uuid', replica.root.uuid]]];
    expect(replica.written).toEqual([
      [{ op: 'update', table: 'Open_vSwitch', where, row: { cur_cfg: 1 } }],
    ]);
  });

  it('gathers changes that come together into one turn', async () => {
    await configure({ br0: { ports: { p1: dummy } } });
    replica.written.length = 0;
    for (let n = 1; n <= 50; n++) {
      replica.change({ op: 'update', table: 'Open_vSwitch', where: [], row: { next_cfg: n } });
    }
    await settled();
    expect(rootCell('cur_cfg')).toEqual([50]);
    expect(replica.written.length).toBeLessThan(3);
  });

  it('does not mind status that others write, and puts it right with the next change', async () => {
    await configure({ br0: { ports: { p1: dummy } } });
    replica.written.length = 0;
    update('Interface', 'p1', { ofport: 99 });
    await settled();
    expect(replica.written).toEqual([]);
    update('Port', 'p1', { tag: 3 });
    await settled();
    expect(cell('p1', 'ofport')).toBe(1);
  });

  it('splits what it writes about many interfaces', async () => {
    const ports = Object.fromEntries(
      Array.from({ length: 250 }, (_, n) => [
        `p${n}`,
        { interfaces: { [`p${n}`]: { type: 'dummy' } } },
      ]),
    );
    await configure({ br0: { ports } }, { next_cfg: 1 });
    await database.configured;
    expect(Math.max(...replica.written.map(({ length }) => length))).toBe(100);
    expect(JSON.stringify(replica.written.at(-1))).toContain('cur_cfg');
    expect(sw.ports.all()).toHaveLength(251);
  });

  it('leaves nothing open when the database is emptied', async () => {
    await configure({ br0: { ports: { p1: dummy } } });
    replica.change({ op: 'delete', table: 'Open_vSwitch', where: [] });
    await settled();
    expect(sw.ports.all()).toEqual([]);
    expect(sw.slowPath.bridges()).toEqual([]);
  });

  it('is ready with an empty database', async () => {
    database.lockChanged();
    await database.configured;
    expect(replica.written).toEqual([]);
  });
});

describe('a thousand ports', () => {
  const ports = Object.fromEntries(
    Array.from({ length: 1000 }, (_, n) => [
      `p${n}`,
      { interfaces: { [`p${n}`]: { type: 'dummy' } } },
    ]),
  );

  /** Milliseconds in the database, which is another process in the end. */
  let spent = 0;
  /** Milliseconds of work: what other processes take of the machine does not count. */
  const busy = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000 - spent;
  };

  /** The longest time for which nothing else had its turn, in milliseconds, until it is done. */
  async function longestHold(act: () => void, isDone: () => boolean): Promise<number> {
    let longest = 0;
    act();
    for (let last = busy(); !isDone(); ) {
      await new Promise((resolve) => setImmediate(resolve));
      const now = busy();
      longest = Math.max(longest, now - last);
      last = now;
    }
    return longest;
  }

  it('come, change and go in slices', async () => {
    const wanted = (next_cfg: number) => {
      replica.changed = () => undefined;
      const row = { next_cfg };
      replica.change({ op: 'update', table: 'Open_vSwitch', where: [], row });
      replica.changed = (changes) => database.changed(changes);
    };
    const { transact } = replica;
    replica.transact = async (operations) => {
      const begun = busy();
      const results = await transact.call(replica, operations);
      spent += busy() - begun;
      return results;
    };
    replica.changed = () => undefined;
    replica.change(...bridgeOperations({ br0: { ports } }));
    const isInForce = (cfg: number) => () => rootCell('cur_cfg')[0] === cfg;
    const holds: number[] = [];
    wanted(1);
    holds.push(await longestHold(() => database.lockChanged(), isInForce(1)));
    expect(sw.ports.all()).toHaveLength(1001);
    replica.changed = () => undefined;
    replica.change({ op: 'update', table: 'Port', where: [], row: { tag: 5 } });
    wanted(2);
    holds.push(await longestHold(() => database.lockChanged(), isInForce(2)));
    replica.changed = () => undefined;
    replica.change({ op: 'update', table: 'Bridge', where: [], row: { ports: ['set', []] } });
    wanted(3);
    holds.push(await longestHold(() => database.lockChanged(), isInForce(3)));
    expect(sw.ports.all()).toHaveLength(1);
    console.log(`    longest holds: ${holds.map((ms) => ms.toFixed(1)).join(', ')} ms`);
    // In slices of 4 ms; compilers and collectors of garbage at work beside them count as well. All
    // at once it would be some 200 ms.
    expect(Math.max(...holds)).toBeLessThan(100);
  });
});

describe('what went wrong', () => {
  it('is in the row, in the words of Open vSwitch, until it is right', async () => {
    await configure({ br0: { ports: { eth0: {}, p2: { interfaces: { p2: { type: 'foo' } } } } } });
    expect(cell('eth0', 'ofport')).toBe(-1);
    expect(cell('eth0', 'error')).toBe('could not open network device eth0 (No such device)');
    expect(cell('p2', 'error')).toContain('could not open network device p2');
    expect(cell('p2', 'admin_state')).toBeUndefined();
    update('Interface', 'p2', { type: 'dummy' });
    await settled();
    expect(cell('p2', 'error')).toBeUndefined();
    expect(cell('p2', 'ofport')).toBe(1);
  });

  it('is logged once as long as it is so', async () => {
    await configure({ br0: { ports: { eth0: {} } } });
    update('Bridge', 'br0', { fail_mode: 'secure' });
    await settled();
    const text = 'could not open network device eth0 (No such device)';
    expect(logged.filter((line) => line === text)).toHaveLength(1);
  });

  it('when the database refuses status: is logged, and the switch goes on', async () => {
    replica.transact = async () => [{ error: 'constraint violation', details: 'no' }];
    await configure({ br0: { ports: { p1: dummy } } });
    expect(logged.some((line) => line.includes('constraint violation: no'))).toBe(true);
    expect(sw.ports.get('p1')).toBeDefined();
  });

  it('when the connection is lost: is written once there is another', async () => {
    const { transact } = replica;
    replica.transact = async () => {
      throw new TapflowError('DISCONNECTED', 'not connected');
    };
    await configure({ br0: { ports: { p1: dummy } } }, { next_cfg: 3 });
    expect(rootCell('cur_cfg')).toEqual([0]);
    replica.transact = transact;
    database.connected();
    await settled();
    expect(cell('p1', 'ofport')).toBe(1);
    expect(rootCell('cur_cfg')).toEqual([3]);
  });
});

describe('OpenFlow port numbers', () => {
  it('are those of an earlier process', async () => {
    await configure({
      br0: { ports: { p1: { interfaces: { p1: { type: 'dummy', ofport: 17 } } } } },
    });
    expect(cell('p1', 'ofport')).toBe(17);
  });

  it('that are asked for go first', async () => {
    const asking = { interfaces: { p2: { type: 'dummy', ofport_request: 1 } } };
    await configure({ br0: { ports: { p1: dummy, p2: asking } } });
    expect([cell('p1', 'ofport'), cell('p2', 'ofport')]).toEqual([2, 1]);
  });
});

describe("a bridge's own address and datapath id", () => {
  const bridgeCell = (column: string) => replica.row('Bridge', 'br0').get(column).keys[0];

  it('come from its UUID, the same each time', async () => {
    await configure({ br0: { ports: { br0: { interfaces: { br0: { type: 'internal' } } } } } });
    const [first, , third] = replica.row('Bridge', 'br0').uuid.split('-');
    const bytes = [first.slice(6), first.slice(4, 6), first.slice(2, 4), first.slice(0, 2)];
    const low = (Number.parseInt(bytes[0], 16) & 0xfe) | 2;
    bytes[0] = low.toString(16).padStart(2, '0');
    const digits = [...bytes, third.slice(2), third.slice(0, 2)].join('');
    expect(bridgeCell('datapath_id')).toBe(`0000${digits}`);
    expect(cell('br0', 'mac_in_use')).toBe(digits.replace(/..(?=.)/g, '$&:'));
  });

  it('come from the lowest address among its devices that nobody made up', async () => {
    dpif.host.set('eth0', { ifindex: 3, up: true, mac: '00:16:00:00:00:02' });
    dpif.host.set('eth1', { ifindex: 4, up: true, mac: '00:15:00:00:00:09' });
    dpif.host.set('eth2', { ifindex: 5, up: true, mac: '02:00:00:00:00:01' });
    await configure({ br0: { ports: { eth0: {}, eth1: {}, eth2: {} } } });
    expect(bridgeCell('datapath_id')).toBe('0000001500000009');
  });

  it('are what the configuration says', async () => {
    const other = { hwaddr: '02:00:00:00:00:77', 'datapath-id': '0x1234' };
    const bridge = { other_config: mapJson(other) };
    await configure({ br0: { bridge, ports: { br0: {} } } });
    expect(bridgeCell('datapath_id')).toBe('0000000000001234');
    expect(cell('br0', 'mac_in_use')).toBe('02:00:00:00:00:77');
  });
});

describe('devices of the host', () => {
  beforeEach(async () => {
    dpif.host.set('eth0', { ifindex: 3, up: true });
    await configure({ br0: { ports: { eth0: {}, eth1: {} } } });
  });

  it('that change state change their rows', async () => {
    dpif.host.set('eth0', { ifindex: 3, up: false });
    database.linksChanged([link('eth0', 3, { up: false, running: false })]);
    await settled();
    expect(cell('eth0', 'link_state')).toBe('down');
    expect(cell('eth0', 'link_resets')).toBe(1);
  });

  it('that vanish are reported, and taken up when they come back, under the same number', async () => {
    expect(cell('eth0', 'ofport')).toBe(1);
    dpif.host.delete('eth0');
    database.linksChanged([link('eth0', 3, { gone: true })]);
    await settled();
    expect(cell('eth0', 'ofport')).toBe(-1);
    expect(cell('eth0', 'error')).toBe('could not open network device eth0 (No such device)');
    dpif.host.set('eth1', { ifindex: 8, up: true });
    dpif.host.set('eth0', { ifindex: 9, up: true });
    database.linksChanged([link('eth0', 9)]);
    await settled();
    expect(cell('eth0', 'error')).toBeUndefined();
    expect(cell('eth0', 'ifindex')).toBe(9);
    expect(cell('eth0', 'ofport')).toBe(1);
    expect(cell('eth1', 'ofport')).toBe(2);
  });

  it('that are renamed are gone, even if nothing else has changed', async () => {
    const mac = String(cell('eth0', 'mac_in_use'));
    dpif.host.delete('eth0');
    database.linksChanged([link('other', 3, { mac })]);
    await settled();
    expect(cell('eth0', 'ofport')).toBe(-1);
  });

  it('that nobody wants cost nothing', async () => {
    dpif.opened.length = 0;
    replica.written.length = 0;
    database.linksChanged([link('veth7', 77), link('eth1', 78, { gone: true })]);
    await settled();
    expect(dpif.opened).toEqual([]);
    expect(replica.written).toEqual([]);
  });

  it('are all looked at when events were lost', async () => {
    dpif.host.set('eth1', { ifindex: 8, up: true });
    dpif.host.set('eth0', { ifindex: 3, up: false });
    database.linksChanged(undefined);
    await settled();
    expect(cell('eth1', 'ofport')).toBe(2);
    expect(cell('eth0', 'link_state')).toBe('down');
  });
});

describe('statistics', () => {
  const frame = Buffer.from(`${'ff'.repeat(6)}020000000001${'0800'}${'00'.repeat(50)}`, 'hex');
  const countOf = (name: string) => (cell(name, 'statistics') as { rx_packets: number }).rx_packets;

  it('are written every five seconds, of those ports that have forwarded', async () => {
    const other = { interfaces: { p2: { type: 'dummy' } } };
    await configure({ br0: { ports: { p1: dummy, p2: other } } });
    replica.written.length = 0;
    dpif.inject(frame, sw.ports.get('p1')?.portNo ?? -1);
    clock.advance(4999);
    await settled();
    expect(countOf('p1')).toBe(0);
    clock.advance(1);
    await settled();
    expect(countOf('p1')).toBe(1);
    clock.advance(5000);
    await settled();
    expect(replica.written).toHaveLength(1);
  });

  it('are written at the interval that is configured, if it is longer', async () => {
    const root = { other_config: mapJson({ 'stats-update-interval': '20000' }) };
    await configure({ br0: { ports: { p1: dummy } } }, root);
    dpif.inject(frame, sw.ports.get('p1')?.portNo ?? -1);
    clock.advance(19_999);
    await settled();
    expect(countOf('p1')).toBe(0);
    clock.advance(1);
    await settled();
    expect(countOf('p1')).toBe(1);
  });
});

describe('the lock', () => {
  it('is waited for', async () => {
    replica.hasLock = false;
    await configure({ br0: { ports: { p1: dummy } } });
    expect(sw.ports.all()).toEqual([]);
    replica.hasLock = true;
    database.lockChanged();
    await database.configured;
    expect(sw.ports.all()).toHaveLength(2);
  });

  it('lost to another takes all ports with it, until it is back', async () => {
    await configure({ br0: { ports: { p1: dummy } } });
    Object.assign(replica, { hasLock: false, isLockContended: true });
    database.lockChanged();
    await settled();
    expect(sw.ports.all()).toEqual([]);
    expect(logged.at(-1)).toMatch(/another ovs-vswitchd process is running/);
    Object.assign(replica, { hasLock: true, isLockContended: false });
    database.lockChanged();
    await settled();
    expect(sw.ports.all()).toHaveLength(2);
  });

  it('lost with the connection changes nothing', async () => {
    await configure({ br0: { ports: { p1: dummy } } });
    replica.hasLock = false;
    database.lockChanged();
    await settled();
    expect(sw.ports.all()).toHaveLength(2);
  });
});

it('the capabilities of a datapath that somebody has a row for are told', async () => {
  const insert = {
    op: 'insert',
    table: 'Datapath',
    'uuid-name': 'dp',
    row: { datapath_version: '' },
  };
  const operations = bridgeOperations({ br0: {} });
  const root = operations.at(-1);
  if (!isObject(root) || !isObject(root.row)) throw new Error('no root');
  const row = { ...root.row, datapaths: ['map', [['netdev', ['named-uuid', 'dp']]]] };
  replica.change(insert, ...operations.slice(0, -1), { ...root, row });
  await settled();
  const [datapath] = replica.rows('Datapath').values();
  expect(datapath.get('capabilities').keys).toContain('max_vlan_headers');
});
