/**
 * `tapflow vswitchd` with devices of the kernel, in namespaces of the test's
 * own, against the stock server and ovs-vsctl.
 */
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { uniqueName } from '../native/lab.ts';
import { describeSystem } from '../system/requirements.ts';
import { VswitchdLab } from './database/vswitchd-lab.ts';

describeSystem('vswitchd with devices', () => {
  const host = uniqueName('tfvh');
  const other = uniqueName('tfvo');
  let lab: VswitchdLab;

  const ip = (...args: string[]): string =>
    execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const onHost = (...args: string[]): string => ip('-n', host, ...args);
  const add = (name: string, type: string, ...settings: string[]): void => {
    lab.vsctl('add-port', 'br0', name, '--', 'set', 'interface', name, `type=${type}`, ...settings);
  };

  beforeEach(async () => {
    for (const name of [host, other]) ip('netns', 'add', name);
    const quiet = 'net.ipv6.conf.default.disable_ipv6=1';
    for (const name of [host, other]) {
      execFileSync('ip', ['netns', 'exec', name, 'sysctl', '-qw', quiet]);
    }
    lab = new VswitchdLab(['ip', 'netns', 'exec', host]);
    await lab.start();
    lab.vswitchd();
    lab.vsctl('add-br', 'br0');
  });
  afterEach(async () => {
    await lab.close();
    for (const name of [host, other]) ip('netns', 'del', name);
  });

  it('forwards between ports when ovs-vsctl returns', () => {
    const place = (address: string, netns: string) =>
      `other_config={"tapflow:netns"="${netns}","tapflow:addresses"="${address}"}`;
    add('p0', 'tap', place('10.9.0.1/24', host));
    add('p1', 'tap', place('10.9.0.2/24', other));
    const ping = ['netns', 'exec', host, 'ping', '-c1', '-W1', '10.9.0.2'];
    expect(ip(...ping)).toContain(' 0% packet loss');
  });

  it('passes larger packets once both devices are set to', () => {
    add('p0', 'internal');
    add('p1', 'internal');
    onHost('link', 'set', 'p1', 'netns', other);
    ip('-n', other, 'link', 'set', 'p1', 'up', 'mtu', '9000');
    ip('-n', other, 'addr', 'add', '10.9.1.2/24', 'dev', 'p1');
    onHost('link', 'set', 'p0', 'mtu', '9000');
    onHost('addr', 'add', '10.9.1.1/24', 'dev', 'p0');
    const large = ['ping', '-c3', '-i0.2', '-W1', '-Mdo', '-s8000', '10.9.1.2'];
    expect(ip('netns', 'exec', host, ...large)).toMatch(/[123] received/);
  });

  it('has the devices that the database says, and deletes them with their ports', () => {
    add('p0', 'internal', 'mac="02:00:00:00:00:99"', 'mtu_request=1300', 'ofport_request=8');
    expect(lab.get('Interface', 'p0', 'ofport')).toBe('8');
    expect(lab.get('Interface', 'p0', 'status')).toBe(
      '{driver_name=tun, driver_version="1.6", firmware_version=""}',
    );
    const shown = onHost('link', 'show', 'p0');
    expect(shown).toContain('mtu 1300');
    expect(shown).toContain('02:00:00:00:00:99');
    expect(lab.get('Interface', 'p0', 'ifindex')).toBe(/^\d+/.exec(shown)?.[0]);
    const local = lab.get('Interface', 'br0', 'mac_in_use').replaceAll('"', '');
    expect(onHost('link', 'show', 'br0')).toContain(local);
    expect(lab.get('Bridge', 'br0', 'datapath_id')).toBe(`"0000${local.replaceAll(':', '')}"`);
    lab.vsctl('del-port', 'p0');
    expect(() => onHost('link', 'show', 'p0')).toThrow();
  });

  it('reflects the link of an existing device within a second', async () => {
    onHost('link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1');
    add('v0', 'system');
    expect(lab.get('Interface', 'v0', 'admin_state')).toBe('down');
    onHost('link', 'set', 'v0', 'up');
    await lab.becomes('v0', 'admin_state', 'up');
    onHost('link', 'set', 'v1', 'up');
    await lab.becomes('v0', 'link_state', 'up');
    await lab.becomes('v0', 'link_resets', '1');
    onHost('link', 'set', 'v0', 'mtu', '1280');
    await lab.becomes('v0', 'mtu', '1280');
    expect(lab.get('Interface', 'v0', 'status')).toContain('driver_name=veth');
  });

  it('takes up an existing device when it appears, comes back, or gets its name', async () => {
    const noDevice = '"could not open network device v0 (No such device)"';
    expect(lab.tryVsctl('add-port', 'br0', 'v0').stderr).toContain('No such device');
    onHost('link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1');
    await lab.becomes('v0', 'error', '[]');
    expect(lab.get('Interface', 'v0', 'ofport')).toBe('1');
    onHost('link', 'del', 'v0');
    await lab.becomes('v0', 'error', noDevice);
    expect(lab.get('Interface', 'v0', 'ofport')).toBe('-1');
    onHost('link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1');
    await lab.becomes('v0', 'ofport', '1');
    onHost('link', 'set', 'v0', 'name', 'v9');
    await lab.becomes('v0', 'error', noDevice);
    onHost('link', 'set', 'v9', 'name', 'v0');
    await lab.becomes('v0', 'error', '[]');
    onHost('link', 'set', 'v0', 'netns', other);
    await lab.becomes('v0', 'error', noDevice);
  });

  it('goes on using a device of its own that is renamed, or moved to another namespace', async () => {
    add('p0', 'internal');
    add('p1', 'internal');
    onHost('link', 'set', 'p0', 'netns', other);
    await lab.becomes('p0', 'admin_state', 'down');
    ip('-n', other, 'link', 'set', 'p0', 'name', 'eth0');
    ip('-n', other, 'link', 'set', 'eth0', 'up');
    await lab.becomes('p0', 'admin_state', 'up');
    ip('-n', other, 'addr', 'add', '10.9.1.2/24', 'dev', 'eth0');
    onHost('addr', 'add', '10.9.1.1/24', 'dev', 'p1');
    // A change of something else leaves it alone.
    lab.vsctl('set', 'bridge', 'br0', 'other_config:mac-aging-time=60');
    const ping = ['netns', 'exec', host, 'ping', '-c1', '-W1', '10.9.1.2'];
    expect(ip(...ping)).toContain(' 0% packet loss');
    expect(lab.get('Interface', 'p0', 'error')).toBe('[]');
  });

  it('makes a device of its own anew that somebody deletes', async () => {
    add('p0', 'tap');
    const before = lab.get('Interface', 'p0', 'ifindex');
    onHost('link', 'del', 'p0');
    await expect(lab.becomes('p0', 'ifindex', before)).rejects.toThrow(/ifindex of p0 is \d+/);
    expect(lab.get('Interface', 'p0', 'ofport')).toBe('1');
    expect(onHost('link', 'show', 'p0')).toContain('p0');
  });

  it('deletes its devices when it ends', async () => {
    add('p0', 'tap');
    const pid = lab.pid();
    lab.appctl('exit');
    await lab.ended(pid);
    expect(onHost('-o', 'link', 'show')).not.toMatch(/p0|br0/);
  });
});
