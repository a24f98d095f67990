import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandTable } from '../../src/unixctl/command-table.ts';
import { openUnixctlServer, type UnixctlServer } from '../../src/unixctl/server.ts';

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

let state: string;
let server: UnixctlServer;

/** Stands for a switch: says what it was asked. */
const echo = (name: string) => ({
  name,
  usage: '',
  minArgs: 0,
  maxArgs: 9,
  run: (args: readonly string[]) => `${name}(${args.join('|')})\n`,
});

const VERBS = [
  'version',
  'show',
  'flows',
  'add-flow',
  'del-flows',
  'mac',
  'cache',
  'ports',
  'trace',
];

beforeAll(async () => {
  state = mkdtempSync(path.join(tmpdir(), 'tapflow-cli-'));
  const fail = { ...echo('exit'), run: () => Promise.reject(new Error('it will not stop')) };
  writeFileSync(path.join(state, 'ovs-vswitchd.pid'), '4711\n');
  server = await openUnixctlServer(
    path.join(state, 'ovs-vswitchd.4711.ctl'),
    commandTable([...VERBS.map(echo), fail]),
  );
});

afterAll(async () => {
  await server.close();
  rmSync(state, { recursive: true });
});

const tapflow = (...args: string[]) =>
  new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [CLI, ...args], (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });

describe('the tapflow command', () => {
  it.each([
    [['show'], 'show()\n'],
    [['flows', 'br0', 'tcp'], 'flows(br0|tcp)\n'],
    [['flows', '--json'], 'flows(--json)\n'],
    [['add-flow', 'br0', 'ip,actions=drop'], 'add-flow(br0|ip,actions=drop)\n'],
    [['del-flows', '--strict', 'br0', 'ip'], 'del-flows(--strict|br0|ip)\n'],
    [['mac', 'br0', '--json'], 'mac(--json|br0)\n'],
    [['trace', 'br0', 'in_port=1', 'ffff'], 'trace(br0|in_port=1|ffff)\n'],
  ])('%j is one request to the switch, whose answer it prints', async (args, printed) => {
    expect(await tapflow(...args, '--state', state)).toEqual({
      code: 0,
      stdout: printed,
      stderr: '',
    });
  });

  it("prints the switch's errors in one line and exits with 1", async () => {
    expect(await tapflow('down', '--state', state)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'tapflow: it will not stop\n',
    });
  });

  it('says how to start a switch when none is running', async () => {
    const { code, stderr } = await tapflow('ports', '--state', '/nonexistent');
    expect(code).toBe(1);
    expect(stderr).toBe(
      'tapflow: no switch is running (there is no ovs-vswitchd.pid in /nonexistent): ' +
        'start one with: tapflow up FILE\n',
    );
  });

  it('takes a socket whose process is dead for no switch', async () => {
    const dead = mkdtempSync(path.join(tmpdir(), 'tapflow-dead-'));
    const socket = path.join(dead, 'ovs-vswitchd.4711.ctl');
    writeFileSync(path.join(dead, 'ovs-vswitchd.pid'), '4711\n');
    const leftover = net.createServer().listen(socket);
    await new Promise((resolve) => leftover.once('listening', resolve));
    // A socket file without its listener: what kill -9 leaves.
    rmSync(socket);
    writeFileSync(socket, '');
    const { code, stderr } = await tapflow('show', '--state', dead);
    leftover.close();
    rmSync(dead, { recursive: true });
    expect(code).toBe(1);
    expect(stderr).toContain('no switch is running');
  });

  it.each([[[]], [['shwo']], [['add-flow', 'br0']], [['show', '--nope']]])(
    'exits with 2 and says what was expected when misused: %j',
    async (args) => {
      const { code, stderr } = await tapflow(...args);
      expect(code).toBe(2);
      expect(stderr).not.toBe('');
    },
  );

  it('has help for every verb, with exit code 0', async () => {
    for (const verb of ['up', 'down', 'demo', ...VERBS.slice(1)]) {
      const { code, stdout } = await tapflow(verb, '--help');
      expect(code).toBe(0);
      expect(stdout).toContain(`Usage: tapflow ${verb}`);
      expect(stdout).toContain('--json');
    }
  });
});
