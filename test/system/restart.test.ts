import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { eventually, Lab, run } from './lab.ts';
import { CLI, describeSystem } from './requirements.ts';

let lab = new Lab();

const topology = (): string => `
bridges:
  - name: br0
    ports:
      - { name: ${lab.iface('a')}, type: tap, netns: ${lab.ns('a')}, addresses: [10.69.0.1/24] }
      - { name: ${lab.iface('b')}, type: tap, netns: ${lab.ns('b')}, addresses: [10.69.0.2/24] }
`;

/** What a switch leaves: its configuration. */
const KEPT = ['.conf.db.~lock~', 'conf.db', 'lab.yaml'];

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);
const hasInterface = async (ns: string): Promise<boolean> =>
  (await lab.inside(ns, 'ip', 'link', 'show', lab.iface(ns))).code === 0;

describeSystem('stopping and starting', () => {
  afterEach(async () => {
    await lab.close();
    lab = new Lab();
  });

  it('down leaves no namespace, interface, process or file', async () => {
    await lab.up(topology());
    expect(await lab.ping('a', '10.69.0.2')).toBe(3);
    const { up, vswitchd } = lab.pids;
    expect(await lab.tapflow('down')).toMatchObject({
      code: 0,
      stdout: 'The switch has stopped.\n',
    });
    await eventually('the processes have ended', () => !isAlive(up) && !isAlive(vswitchd));
    expect(lab.namespaces()).toEqual([]);
    expect(readdirSync(lab.state)).toEqual(KEPT);
  });

  it('down says so when nothing runs', async () => {
    const { code, stderr } = await lab.tapflow('down');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tapflow: no switch is running \(.*tapflow up FILE\n$/);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('%s stops it as cleanly', async (signal) => {
    await lab.up(topology());
    const { up, vswitchd } = lab.pids;
    process.kill(up, signal);
    await eventually('the processes have ended', () => !isAlive(up) && !isAlive(vswitchd));
    expect(lab.namespaces()).toEqual([]);
    expect(readdirSync(lab.state)).toEqual(KEPT);
  });

  it('after kill -9 the next start finds nothing in its way and the same namespaces', async () => {
    await lab.up(topology());
    const { up, vswitchd } = lab.pids;
    process.kill(vswitchd, 'SIGKILL');
    await eventually('the processes have ended', () => !isAlive(up) && !isAlive(vswitchd));
    await eventually('its interface is gone', async () => !(await hasInterface('a')));
    await lab.up(topology());
    expect(await lab.ping('a', '10.69.0.2')).toBe(3);
    await lab.tapflow('down');
    expect(lab.namespaces()).toEqual([]);
  });

  it('after kill -9 a start with another file removes the namespaces that only the old one named', async () => {
    await lab.up(topology());
    const { up, vswitchd } = lab.pids;
    process.kill(vswitchd, 'SIGKILL');
    await eventually('the processes have ended', () => !isAlive(up) && !isAlive(vswitchd));
    await lab.up('bridges: [{ name: br0 }]\n');
    expect(lab.namespaces()).toEqual([]);
  });

  it('a namespace that was there before stays', async () => {
    await run('ip', 'netns', 'add', lab.ns('a'));
    await lab.up(topology());
    expect(await lab.ping('a', '10.69.0.2')).toBe(3);
    await lab.tapflow('down');
    expect(lab.namespaces()).toEqual([lab.ns('a')]);
    expect(await hasInterface('a')).toBe(false);
  });

  it('the switch in the foreground stops when who started it is killed', async () => {
    lab.write(topology());
    const parent = spawn(process.execPath, [CLI, 'up', '--state', lab.state, lab.file]);
    await new Promise((resolve) => parent.stdout.once('data', resolve));
    const { vswitchd } = lab.pids;
    parent.kill('SIGKILL');
    await eventually('the switch has ended', () => !isAlive(vswitchd));
    expect(lab.namespaces()).toEqual([]);
  });
});
