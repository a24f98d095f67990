/**
 * What docs/connecting-a-vm.md promises of a virtual machine, with a program
 * that holds a TAP as QEMU does (guest.py) in QEMU's place.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Lab, run } from '../system/lab.ts';
import { describeSystem } from '../system/requirements.ts';

const GUEST = fileURLToPath(new URL('guest.py', import.meta.url));
const TRAFFIC = fileURLToPath(new URL('../../dist/cli/demo/traffic.js', import.meta.url));

interface PortLine {
  port: string;
  rx_packets: number;
  rx_bytes: number;
}

describeSystem('a virtual machine whose TAP is a system port', () => {
  const lab = new Lab();
  const vm = lab.iface('vm');
  let guest: ChildProcess;

  beforeAll(async () => {
    await run('ip', 'netns', 'add', lab.ns('guest'));
    // The host says nothing of its own on this wire.
    await run('ip', 'tuntap', 'add', 'dev', vm, 'mode', 'tap');
    await run('sysctl', '-qw', `net.ipv6.conf.${vm}.disable_ipv6=1`);
    await run('ip', 'link', 'set', vm, 'up');
    await lab.up(`
bridges:
  - name: br0
    ports:
      - { name: ${vm}, type: system }
      - { name: ${lab.iface('l')}, type: tap, netns: ${lab.ns('lab')}, addresses: [10.67.0.1/24] }
`);
    guest = await boot();
  }, 30_000);

  afterAll(async () => {
    guest.kill();
    await run('ip', 'link', 'del', vm);
    await lab.close();
  }, 30_000);

  async function boot(): Promise<ChildProcess> {
    const child = spawn('python3', [GUEST, vm, lab.ns('guest'), 'eth0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve, reject) => {
      child.stdout.once('data', resolve);
      child.once('exit', (code) => reject(new Error(`guest.py ended with ${code}`)));
    });
    // A virtual machine keeps its address over a restart.
    const link = ['dev', 'eth0', 'address', '02:00:00:00:67:02', 'up'];
    await lab.inside('guest', 'ip', 'link', 'set', ...link);
    await lab.inside('guest', 'ip', 'addr', 'add', '10.67.0.2/24', 'dev', 'eth0');
    return child;
  }

  it('is reached, and reaches others', async () => {
    expect(await lab.ping('lab', '10.67.0.2', 5)).toBe(5);
    expect(await lab.ping('guest', '10.67.0.1', 5)).toBe(5);
  });

  it('sends TCP in super-frames, with its offloads on', async () => {
    const server = await lab.serve('lab', process.execPath, TRAFFIC, 'tcp-receive', '5001');
    await lab.inside('guest', process.execPath, TRAFFIC, 'tcp-send', '10.67.0.1', '5001', '500');
    server.kill();
    const ports = await lab.json<PortLine[]>('ports', 'br0');
    const shown = ports.find(({ port }) => port === vm);
    expect(shown?.rx_bytes).toBeGreaterThan(10_000_000);
    expect(Number(shown?.rx_bytes) / Number(shown?.rx_packets)).toBeGreaterThan(3000);
  });

  it('is there again after it was restarted', async () => {
    const ended = new Promise((resolve) => guest.once('exit', resolve));
    guest.kill();
    await ended;
    guest = await boot();
    expect(await lab.ping('lab', '10.67.0.2', 5)).toBe(5);
  });
});
