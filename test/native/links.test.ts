import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LinkEvent, native } from '../../src/native.ts';
import { describeSystem, ip, uniqueName } from './lab.ts';

const openFds = (): number => readdirSync('/proc/self/fd').length;

describeSystem('link events', () => {
  let fd: number;
  let watch: object;
  let events: LinkEvent[];

  beforeEach(() => {
    events = [];
    fd = native().openLinkEvents();
    watch = native().watchEvent(fd, () => {
      const some = native().readLinkEvents(fd);
      if (some) events.push(...some);
    });
  });
  afterEach(() => {
    native().unwatchEvent(watch);
    native().closeFd(fd);
  });

  /** What was heard of an interface by then. */
  async function heardOf(name: string): Promise<LinkEvent[]> {
    await delay(50);
    return events.filter((event) => event.name === name);
  }

  test('tell of a device that comes, changes and goes', async () => {
    const name = uniqueName('tfl');
    ip('link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}p`);
    const { ifindex, mac } = native().linkInfo(name);
    ip('link', 'set', name, 'up', 'mtu', '1234');
    expect((await heardOf(name)).at(-1)).toMatchObject({
      ...{ name, ifindex, mac, mtu: 1234, up: true, running: false, gone: false },
    });
    ip('link', 'set', `${name}p`, 'up');
    expect((await heardOf(name)).at(-1)).toMatchObject({ running: true });
    ip('link', 'del', name);
    expect((await heardOf(name)).at(-1)).toMatchObject({ name, ifindex, gone: true });
  });

  test('tell of a device after it has been moved to another namespace', async () => {
    const netns = uniqueName('tfl');
    const name = uniqueName('tfl');
    const tap = native().openTap({ name });
    ip('netns', 'add', netns);
    try {
      ip('link', 'set', name, 'netns', netns);
      expect((await heardOf(name)).some(({ gone }) => gone)).toBe(true);
      ip('-n', netns, 'link', 'set', name, 'mtu', '1300');
      expect((await heardOf(name)).at(-1)).toMatchObject({ mtu: 1300, gone: false });
    } finally {
      native().closeFd(tap.fd);
      ip('netns', 'del', netns);
    }
  });

  test('are not to be read where there are none, or from something else', () => {
    const quiet = native().openEvent();
    expect(native().readLinkEvents(fd)).toBeUndefined();
    expect(() => native().readLinkEvents(quiet)).toThrow(/ENOTSOCK/);
    native().closeFd(quiet);
  });
});

describeSystem('a TAP by its descriptor', () => {
  test('is found under any name, in any namespace, until it is deleted', () => {
    const netns = uniqueName('tfl');
    const name = uniqueName('tfl');
    const { fd } = native().openTap({ name });
    ip('netns', 'add', netns);
    const before = openFds();
    try {
      expect(native().tapInfo(fd)).toEqual({ ...native().linkInfo(name), name });
      ip('link', 'set', name, 'name', 'tfrenamed');
      expect(native().tapInfo(fd).name).toBe('tfrenamed');
      ip('link', 'set', 'tfrenamed', 'netns', netns);
      ip('-n', netns, 'link', 'set', 'tfrenamed', 'mtu', '1400');
      expect(native().tapInfo(fd)).toMatchObject({ name: 'tfrenamed', mtu: 1400 });
      const there = native().tapNetns(fd);
      native().configureInNetns(there, 'tfrenamed', { mtu: 1350 });
      native().closeFd(there);
      expect(native().tapInfo(fd)).toMatchObject({ mtu: 1350 });
      ip('-n', netns, 'link', 'del', 'tfrenamed');
      expect(() => native().tapInfo(fd)).toThrow(/EBADFD/);
      expect(openFds()).toBe(before);
    } finally {
      native().closeFd(fd);
      ip('netns', 'del', netns);
    }
  });

  test('is gone when closing it later has been done, and its descriptor is ours no more at once', async () => {
    const name = uniqueName('tfl');
    const { fd } = native().openTap({ name });
    const closed = native().closeFdLater(fd);
    expect(() => native().closeFd(fd)).toThrow(/EBADF/);
    await closed;
    expect(() => native().linkInfo(name)).toThrow(/ENODEV/);
  });

  test('has the driver that ethtool tells', () => {
    const name = uniqueName('tfl');
    const { fd } = native().openTap({ name });
    expect(native().linkDriver(name)).toMatchObject({ driver: 'tun', version: '1.6', duplex: 1 });
    native().closeFd(fd);
    expect(() => native().linkDriver(name)).toThrow(/ENODEV/);
  });
});
