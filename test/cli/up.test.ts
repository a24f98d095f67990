import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/** What a switch leaves: its configuration. */
const KEPT = ['.conf.db.~lock~', 'conf.db', 'net.yaml'];
const TOPOLOGY = 'bridges:\n  - name: br0\n    ports: [{ name: p1, type: dummy }]\n';

let state: string;
let file: string;

beforeEach(() => {
  state = mkdtempSync(path.join(tmpdir(), 'tapflow-up-'));
  file = path.join(state, 'net.yaml');
  writeFileSync(file, TOPOLOGY);
});
afterEach(async () => {
  await tapflow('down', '--state', state);
  rmSync(state, { recursive: true });
});

const tapflow = (...args: string[]) =>
  new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [CLI, ...args], (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });

/** A simulated switch needs neither root nor devices. */
const up = (...args: string[]) =>
  tapflow('up', '--simulated', '--detach', '--state', state, ...args, file);

describe('tapflow up', () => {
  it('says what it has set up, and down stops it without a trace', async () => {
    const { code, stdout } = await up();
    expect(code).toBe(0);
    expect(stdout).toContain(`The switch is up; "tapflow down --state ${state}" stops it.`);
    expect(stdout).toMatch(/p1 +1 +dummy/);
    expect(await tapflow('down', '--state', state)).toMatchObject({ code: 0 });
    expect(readdirSync(state)).toEqual(KEPT);
  });

  it('a second time applies what differs to the switch that runs', async () => {
    await up();
    writeFileSync(file, TOPOLOGY.replace('p1', 'p2'));
    expect(await up()).toMatchObject({
      code: 0,
      stdout: 'port p1 removed from bridge br0\nport p2 added to bridge br0\n',
    });
    const again = await up('--json');
    expect(JSON.parse(again.stdout)).toEqual({ changes: [], warnings: [], errors: [] });
  });

  it('fails with what is wrong with the file, line and column', async () => {
    writeFileSync(file, 'bridges:\n  - nam: br0\n');
    const { code, stdout, stderr } = await up();
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^tapflow: .*net\.yaml:2:\d+: .*nam/);
    expect(readdirSync(state)).toEqual(KEPT);
  });

  it('comes up with the ports that work, and shows those that do not', async () => {
    writeFileSync(file, `${TOPOLOGY.trim().slice(0, -1)}, { name: t1, type: tap }]\n`);
    const { code, stdout } = await up();
    expect(code).toBe(1);
    expect(stdout).toContain('This could not be set up; the rest works:\n  t1: ');
    expect((await tapflow('show', '--state', state)).stdout).toMatch(/t1 .*ERROR/);
  });

  it('writes logs where it is told to', async () => {
    const logs = path.join(state, 'log');
    await up('--log-dir', logs);
    await tapflow('down', '--state', state);
    expect(readdirSync(logs)).toEqual(['ovs-vswitchd.log', 'ovsdb-server.log']);
    const log = readFileSync(path.join(logs, 'ovs-vswitchd.log'), 'utf8');
    expect(log).toMatch(/\|bridge\|INFO\|bridge br0: added interface p1 on port 1\n/);
  });

  it('without a file is what its database says, and keeps it for the next start', async () => {
    await tapflow('up', '--simulated', '--detach', '--state', state);
    const db = `--db=unix:${state}/db.sock`;
    const added = ['add-br', 'br7', '--', 'add-port', 'br7', 'p7'];
    expect(
      await tapflow('vsctl', db, ...added, '--', 'set', 'Interface', 'p7', 'type=dummy'),
    ).toMatchObject({ code: 0, stderr: '' });
    await tapflow('down', '--state', state);
    await tapflow('up', '--simulated', '--detach', '--state', state);
    expect((await tapflow('show', '--state', state)).stdout).toMatch(
      /bridge br7:[\s\S]*p7 +1 +dummy/,
    );
  });

  it('starts a daemon anew that has crashed', async () => {
    await up();
    const pidfile = path.join(state, 'ovs-vswitchd.pid');
    const pid = Number(readFileSync(pidfile, 'utf8'));
    process.kill(pid, 'SIGABRT');
    const isAnother = () => existsSync(pidfile) && Number(readFileSync(pidfile, 'utf8')) !== pid;
    await expect.poll(isAnother, { timeout: 8000 }).toBe(true);
    const shown = async () => (await tapflow('show', '--state', state)).stdout;
    await expect.poll(shown, { timeout: 8000 }).toMatch(/p1 +1 +dummy/);
  });

  it('in the foreground runs until a signal, then exits with 0', async () => {
    const child = spawn(process.execPath, [CLI, 'up', '--simulated', '--state', state, file]);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    expect(await tapflow('show', '--state', state)).toMatchObject({ code: 0 });
    child.kill('SIGTERM');
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
    expect(readdirSync(state)).toEqual(KEPT);
  });

  it.each(['0', 'x', '-1', '1.5'])('takes no --workers %s', async (workers) => {
    const { code, stderr } = await up('--workers', workers);
    expect(code).toBe(2);
    expect(stderr).toContain(
      `'${workers}' is invalid. A number of threads, at least 1, was expected.`,
    );
  });
});
