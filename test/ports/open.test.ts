import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PortSpec } from '../../src/dpif/dpif.ts';
import { KIND_PACKET, KIND_TAP, OFFLOAD_CSUM } from '../../src/native.ts';
import { type Device, KIND_NONE } from '../../src/ports/device.ts';
import { openDevice } from '../../src/ports/open.ts';
import { describeSystem, ip, uniqueName } from '../native/lab.ts';

const openFds = (): number => readdirSync('/proc/self/fd').length;

describe('a dummy device', () => {
  test('has no descriptors, and a unicast address that depends on its name only', () => {
    const open = (name: string): Device => openDevice({ name, type: 'dummy' }, 4);
    const device = open('p1');
    expect(device).toMatchObject({ name: 'p1', kind: KIND_NONE, fds: { tx: -1, rx: [] } });
    expect(device.info().mac).toMatch(/^aa:55(:[0-9a-f]{2}){4}$/);
    expect(open('p1').info()).toEqual(device.info());
    expect(open('p2').info().mac).not.toBe(device.info().mac);
    device.close();
  });

  test('keeps its settings', () => {
    const spec: PortSpec = { name: 'p1', type: 'dummy', mac: '02:00:00:00:00:AA', mtu: 9000 };
    const device = openDevice(spec, 1);
    expect(device.info()).toMatchObject({ mac: '02:00:00:00:00:aa', mtu: 9000, up: true });
    device.set({ mtu: 1280, up: false });
    expect(device.info()).toMatchObject({ mac: '02:00:00:00:00:aa', mtu: 1280, up: false });
    expect(() => device.set({ mtu: 3 })).toThrow(/mtu 3/);
    expect(device.info().mtu).toBe(1280);
  });
});

describeSystem('devices of the kernel', () => {
  let netns = '';
  const devices: Device[] = [];

  beforeEach(() => {
    netns = uniqueName('tfp');
    ip('netns', 'add', netns);
  });
  afterEach(() => {
    for (const device of devices.splice(0)) device.close();
    ip('netns', 'del', netns);
  });

  const open = (spec: PortSpec, queues = 1): Device => {
    const device = openDevice(spec, queues);
    devices.push(device);
    return device;
  };

  test("a tap's far end is in its namespace, up, with address, MAC, MTU and queue length", () => {
    const name = uniqueName('tft');
    const addresses = ['10.77.0.1/24', 'fd00:77::1/64'];
    const device = open({
      name,
      type: 'tap',
      netns,
      addresses,
      mac: '02:00:00:00:77:01',
      mtu: 1400,
    });
    expect(device.kind).toBe(KIND_TAP);
    expect(device.offloads & OFFLOAD_CSUM).toBe(OFFLOAD_CSUM);
    expect(device.info()).toMatchObject({ mac: '02:00:00:00:77:01', mtu: 1400, up: true });
    const shown = ip('-n', netns, 'addr', 'show', name);
    expect(shown).toContain('qlen 1000');
    expect(shown).toContain('inet 10.77.0.1/24');
    expect(shown).toContain('inet6 fd00:77::1/64');
    device.set({ mtu: 1300, mac: '02:00:00:00:77:02' });
    expect(device.info()).toMatchObject({ mac: '02:00:00:00:77:02', mtu: 1300 });
  });

  test('a device opened for two workers has two queues, each with a descriptor', () => {
    const device = open({ name: uniqueName('tft'), type: 'tap', netns }, 2);
    expect(device.fds.rx.length).toBe(2);
    expect(device.fds.rx).toContain(device.fds.tx);
    expect(open({ name: uniqueName('tft'), type: 'tap', netns }, 1).fds.rx.length).toBe(1);
  });

  test('an internal device stays here', () => {
    const name = uniqueName('tft');
    open({ name, type: 'internal' });
    expect(ip('link', 'show', name)).toContain('UP');
  });

  test('closing removes the device, and closing twice does nothing', () => {
    const before = openFds();
    const name = uniqueName('tft');
    const device = openDevice({ name, type: 'tap', netns }, 2);
    device.close();
    device.close();
    expect(openFds()).toBe(before);
    expect(() => ip('-n', netns, 'link', 'show', name)).toThrow();
    expect(() => device.info()).toThrow(/ENODEV/);
  });

  test('a tap that cannot be set up leaves nothing behind, and the error says what to do', () => {
    const name = uniqueName('tft');
    const before = openFds();
    const failing: [PortSpec, RegExp][] = [
      [{ name, type: 'tap', netns: 'tf-none' }, /namespace tf-none does not exist.*ip netns add/],
      [{ name, type: 'tap', netns, addresses: ['10.0.0.1'] }, new RegExp(`port ${name}: address`)],
      [{ name: 'lo', type: 'tap' }, /port lo: .*is no TAP.*choose another name/],
      [{ name: 'tf-none', type: 'system' }, /port tf-none: there is no such interface/],
      [{ name, type: 'tap', mtu: 5 }, /mtu 5 is not between/],
      [{ name, type: 'tap', netns, mtu: 65535 }, /refuses the MTU \(a TAP takes 65521 at most\)/],
    ];
    for (const [spec, message] of failing) {
      expect(() => openDevice(spec, 2)).toThrow(message);
    }
    expect(openFds()).toBe(before);
    expect(() => ip('link', 'show', name)).toThrow();
    expect(() => ip('-n', netns, 'link', 'show', name)).toThrow();
  });

  test('a name in use says so', () => {
    const name = uniqueName('tft');
    open({ name, type: 'internal' });
    expect(() => openDevice({ name, type: 'tap' }, 1)).toThrow(/in use by another process.*choose/);
  });

  test('a name that the namespace has already is refused', () => {
    const name = uniqueName('tft');
    ip('-n', netns, 'link', 'add', name, 'type', 'bridge');
    expect(() => openDevice({ name, type: 'tap', netns }, 1)).toThrow(/namespace has a device/);
    expect(() => ip('link', 'show', name)).toThrow();
  });

  test('a system device is an interface that exists, and warns of its address', () => {
    const [name, peer] = [uniqueName('tfo'), uniqueName('tfi')];
    ip('link', 'add', name, 'type', 'veth', 'peer', 'name', peer, 'netns', netns);
    try {
      const quiet = open({ name, type: 'system', mtu: 1450 });
      expect(quiet).toMatchObject({ name, kind: KIND_PACKET, warnings: [] });
      expect(quiet.fds.rx).toEqual([quiet.fds.tx]);
      expect(quiet.info()).toMatchObject({ mtu: 1450, up: false });
      quiet.set({ up: true });
      expect(quiet.info().up).toBe(true);
      ip('addr', 'add', '192.0.2.77/32', 'dev', name);
      const { warnings } = open({ name, type: 'system' });
      expect(warnings.join()).toContain('192.0.2.77/32');
    } finally {
      ip('link', 'del', name);
    }
  });
});
