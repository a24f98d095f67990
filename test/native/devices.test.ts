import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { native, OFFLOAD_CSUM, OFFLOAD_TSO4 } from '../../src/native.ts';
import { describeSystem, ip, uniqueName } from './lab.ts';

const fds: number[] = [];
let netns = '';

const keep = (fd: number): number => {
  fds.push(fd);
  return fd;
};

const codeOf = (action: () => unknown): string | undefined => {
  try {
    action();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
};

describeSystem('devices', () => {
  beforeEach(() => {
    netns = uniqueName('tfd');
    ip('netns', 'add', netns);
  });
  afterEach(() => {
    for (const fd of fds.splice(0)) native().closeFd(fd);
    ip('netns', 'del', netns);
  });

  const openTap = (name = uniqueName('tft')) => {
    const tap = native().openTap({ name, offloads: 15 });
    keep(tap.fd);
    return tap;
  };

  test('a TAP has the name, or the pattern filled in, and vanishes with its descriptor', () => {
    const { fd, name, offloads } = native().openTap({ name: 'tfpat%d', offloads: 15 });
    expect(name).toMatch(/^tfpat\d+$/);
    expect(offloads & (OFFLOAD_CSUM | OFFLOAD_TSO4)).toBe(OFFLOAD_CSUM | OFFLOAD_TSO4);
    expect(native().linkInfo(name)).toMatchObject({ mtu: 1500, up: false });
    native().closeFd(fd);
    expect(codeOf(() => native().linkInfo(name))).toBe('ENODEV');
  });

  test('segmentation offload without checksum offload is none', () => {
    const tap = native().openTap({ name: uniqueName('tft'), offloads: OFFLOAD_TSO4 });
    keep(tap.fd);
    expect(tap.offloads).toBe(0);
  });

  test('a name in use, or of another kind of device, is refused and leaks nothing', () => {
    const { name } = openTap();
    const before = readdirSync('/proc/self/fd').length;
    expect(codeOf(() => native().openTap({ name }))).toBe('EBUSY');
    expect(codeOf(() => native().openTap({ name: 'lo' }))).toBe('EINVAL');
    expect(codeOf(() => native().openTap({ name, multiQueue: true }))).toBe('EINVAL');
    expect(codeOf(() => native().openPacket('tf-none'))).toBe('ENODEV');
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });

  test('a TAP is adopted from a descriptor with its name and kind, and only a TAP is', () => {
    const { fd, name } = openTap();
    const adopted = native().adoptTap(fd);
    keep(adopted.fd);
    expect(adopted).toMatchObject({ name, multiQueue: false, vnetHeader: true });
    expect(adopted.fd).not.toBe(fd);
    expect(codeOf(() => native().adoptTap(keep(native().openEvent())))).toBe('ENOTTY');
    expect(codeOf(() => native().adoptTap(1e6))).toBe('EBADF');
  });

  test('queues join one device, and can be detached and attached again', () => {
    const name = uniqueName('tft');
    const first = native().openTap({ name, multiQueue: true });
    const second = native().openTap({ name, multiQueue: true });
    keep(first.fd);
    keep(second.fd);
    native().setTapQueue(second.fd, false);
    native().setTapQueue(second.fd, true);
    expect(codeOf(() => native().setTapQueue(second.fd, true))).toBe('EINVAL');
    expect(codeOf(() => native().setTapQueue(keep(native().openEvent()), true))).toBe('ENOTTY');
  });

  test('link settings take effect, and a missing link is ENODEV', () => {
    const { name } = openTap();
    native().setLinkMac(name, '02:00:00:AB:cd:01');
    native().setLinkMtu(name, 9000);
    native().setLinkTxQueueLen(name, 777);
    native().setLinkUp(name, true);
    expect(native().linkInfo(name)).toMatchObject({
      mac: '02:00:00:ab:cd:01',
      mtu: 9000,
      up: true,
    });
    expect(ip('link', 'show', name)).toContain('qlen 777');
    native().setLinkUp(name, false);
    expect(native().linkInfo(name).up).toBe(false);
    for (const set of [
      () => native().setLinkMac('tf-none', '02:00:00:00:00:01'),
      () => native().setLinkMtu('tf-none', 1500),
      () => native().setLinkUp('tf-none', true),
      () => native().setLinkTxQueueLen('tf-none', 10),
      () => native().linkInfo('tf-none'),
      () => native().linkAddresses('tf-none'),
    ]) {
      expect(codeOf(set)).toBe('ENODEV');
    }
  });

  test('a TAP moves to a namespace and is configured there, twice without harm', () => {
    const { name } = openTap();
    const netnsFd = keep(native().openNetns(`/run/netns/${netns}`));
    native().moveLink(name, netnsFd);
    expect(codeOf(() => native().linkInfo(name))).toBe('ENODEV');
    const settings = { up: true, mtu: 1400, mac: '02:00:00:00:00:77' };
    const addresses = ['10.99.0.1/24', 'fd00:99::1/64'];
    native().configureInNetns(netnsFd, name, { ...settings, addresses });
    native().configureInNetns(netnsFd, name, { addresses });
    expect(native().linkInfoInNetns(netnsFd, name)).toMatchObject({
      mac: '02:00:00:00:00:77',
      mtu: 1400,
      up: true,
    });
    const shown = ip('-n', netns, 'addr', 'show', name);
    expect(shown).toContain('inet 10.99.0.1/24');
    expect(shown).toContain('inet6 fd00:99::1/64 scope global nodad');
  });

  test('settings in a namespace fail with the reason, and name what is malformed', () => {
    const netnsFd = keep(native().openNetns(`/run/netns/${netns}`));
    const there = (settings: object) => () => native().configureInNetns(netnsFd, 'lo', settings);
    expect(codeOf(() => native().configureInNetns(netnsFd, 'tf-none', {}))).toBe('ENODEV');
    expect(codeOf(() => native().configureInNetns(1e6, 'lo', {}))).toBe('EBADF');
    expect(codeOf(() => native().linkInfoInNetns(netnsFd, 'tf-none'))).toBe('ENODEV');
    for (const address of ['10.0.0.1', '10.0.0.1/33', '10.0.0/8', 'fd00::1/129', '10.0.0.1/ 8']) {
      expect(there({ addresses: [address] })).toThrow(/address must be/);
    }
    expect(there({ addresses: new Array(65).fill('10.0.0.1/8') })).toThrow(/at most 64/);
    expect(there({ mtu: 10 })).toThrow(/68 to 65535/);
    expect(codeOf(() => native().openNetns('/etc/passwd'))).toBe('EINVAL');
    expect(codeOf(() => native().moveLink('lo', netnsFd))).toBe('EINVAL');
  });

  test('linkAddresses lists addresses of both families without link-local ones', () => {
    const script = `
      const addon = require('node-gyp-build')(process.cwd());
      console.log(JSON.stringify(addon.linkAddresses('br0')));`;
    ip('-n', netns, 'link', 'add', 'br0', 'type', 'bridge');
    ip('-n', netns, 'link', 'set', 'br0', 'up');
    ip('-n', netns, 'addr', 'add', '10.5.0.1/16', 'dev', 'br0');
    ip('-n', netns, 'addr', 'add', '169.254.3.4/16', 'dev', 'br0');
    ip('-n', netns, 'addr', 'add', 'fd00:5::1/64', 'dev', 'br0');
    const printed = execFileSync('ip', ['netns', 'exec', netns, process.execPath, '-e', script]);
    expect(JSON.parse(printed.toString())).toEqual(['10.5.0.1/16', 'fd00:5::1/64']);
  });

  test('the probe of io_uring leaves no device and no descriptor', () => {
    const before = readdirSync('/proc/self/fd').length;
    expect(typeof native().probeIoUring()).toBe('boolean');
    expect(readdirSync('/proc/self/fd').length).toBe(before);
    expect(ip('-o', 'link')).not.toMatch(/ tapflow\d+:/);
  });
});
